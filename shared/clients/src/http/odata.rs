//! Encodes texts as OData string literals in a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything except RFC 3986's unreserved characters: login names contain `|`, `#`, `:` and
/// quotes, which have a meaning in URLs.
const LITERAL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a text as an OData string literal for a path or query: quotes doubled (OData 4.01 part
/// 2, section 5.1.1.6.2), then percent-encoded.
pub(crate) fn quoted(text: &str) -> String {
    format!(
        "'{}'",
        utf8_percent_encode(&text.replace('\'', "''"), LITERAL)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claims_login_name_with_an_apostrophe_survives_the_path() {
        assert_eq!(
            quoted("i:0#.f|membership|o'brien@contoso.com"),
            "'i%3A0%23.f%7Cmembership%7Co%27%27brien%40contoso.com'"
        );
    }

    #[test]
    fn letters_of_any_script_are_encoded_as_utf8() {
        assert_eq!(quoted("Müller/%?"), "'M%C3%BCller%2F%25%3F'");
    }
}
