//! Comparison of texts: trimmed, NFC, full Unicode case folding.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Returns the form of a text that is used for comparisons; `None` if the text is blank.
///
/// The result of case folding may not be in NFC, so it is composed again. Texts that look the same
/// must have the same bytes.
pub fn fold(text: &str) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    if trimmed.is_ascii() {
        return Some(trimmed.to_ascii_lowercase());
    }
    let composed: String = trimmed.nfc().collect();
    let folded = CaseMapper::new().fold_string(&composed).into_owned();
    Some(if is_nfc(&folded) {
        folded
    } else {
        folded.nfc().collect()
    })
}

/// Returns a text for display: trimmed and in NFC; `None` if it is blank.
pub fn clean(text: &str) -> Option<String> {
    cleaned(text).map(Cow::into_owned)
}

/// Returns the same as [`clean`] without copying a text that is already clean.
pub fn cleaned(text: &str) -> Option<Cow<'_, str>> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    if trimmed.is_ascii() || is_nfc(trimmed) {
        return Some(Cow::Borrowed(trimmed));
    }
    Some(Cow::Owned(trimmed.nfc().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(a: &str, b: &str) {
        assert_eq!(fold(a), fold(b));
    }

    /// Proves S4-076.
    #[test]
    fn case_blanks_and_unicode_forms_do_not_matter() {
        same("  Denver ", "DENVER");
        same("Straße", "STRASSE");
        same("ﬁnance", "FINANCE");
        same("caf\u{e9}", "CAFE\u{301}");
        same("ΑΣ", "ας");
        same("\u{a0}Office\u{2003}", "office");
    }

    #[test]
    fn a_blank_text_is_missing() {
        assert_eq!(fold(" \t\u{a0}"), None);
        assert_eq!(clean("   "), None);
    }

    #[test]
    fn different_words_stay_different() {
        assert_ne!(fold("Denver"), fold("Denver 2"));
        assert_ne!(fold("resume"), fold("résumé"));
    }
}
