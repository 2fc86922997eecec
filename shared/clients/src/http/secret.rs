//! A wrapper for credentials and tokens that prevents printing them.

use std::fmt;

/// Minimum length of a secret whose last characters may be displayed.
const SHOWS_ITS_END_FROM: usize = 12;
/// Number of last characters displayed.
const SHOWN: usize = 4;

/// A credential or token. It has no `Display` and no `Serialize`, and its `Debug` is redacted, so
/// it cannot be written to a log, an error or a stored item by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text itself, for the code that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns its last four characters, by which administrators recognise it (S4-023). `None` if
    /// it is too short to display them safely.
    pub fn ending(&self) -> Option<String> {
        let length = self.0.chars().count();
        (length >= SHOWS_ITS_END_FROM).then(|| self.0.chars().skip(length - SHOWN).collect())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_secret_does_not_show_it() {
        let secret = Secret::new("not-for-logs");
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
        assert_eq!(secret.expose(), "not-for-logs");
    }

    /// Proves S4-023: the last characters are displayed, and only those of a long secret.
    #[test]
    fn only_a_long_secret_shows_its_end() {
        assert_eq!(Secret::new("elevenchars").ending(), None);
        assert_eq!(
            Secret::new("twelve-chars").ending().as_deref(),
            Some("hars")
        );
        assert_eq!(
            Secret::new("zwölf-zeichén").ending().as_deref(),
            Some("chén")
        );
    }
}
