//! A text that must never be printed: credentials and tokens.

use std::fmt;

/// Shorter secrets show nothing of themselves.
const SHOWS_ITS_END_FROM: usize = 12;
/// Characters of the end that are shown.
const SHOWN: usize = 4;

/// A credential or token. It has no `Display` and no `Serialize`, and its
/// `Debug` says only that it is there, so it cannot slip into a log, an error
/// or a stored item by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last four characters, by which people recognise it (S4-023). `None`
    /// when it is so short that they would give away a good part of it.
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

    /// Proves S4-023: the last characters, and only of what is long enough.
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
