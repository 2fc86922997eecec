//! The languages of notices.

use serde::{Deserialize, Serialize};

/// A language in which all texts exist. In JSON it is an ISO 639-1 code. An unknown language is
/// read as English, because a message in the wrong language is better than none.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(from = "String")]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
    /// French.
    #[serde(rename = "fr")]
    French,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
    /// Dutch.
    #[serde(rename = "nl")]
    Dutch,
    /// Danish.
    #[serde(rename = "da")]
    Danish,
}

impl Language {
    /// All languages; each one's position is its discriminant.
    pub const ALL: [Self; 6] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Dutch,
        Self::Danish,
    ];

    /// Returns the ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Dutch => "nl",
            Self::Danish => "da",
        }
    }

    /// Returns the language of a BCP 47 tag such as `de-AT`; English if it is not supported.
    pub fn from_tag(tag: &str) -> Self {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.code()))
            .unwrap_or_default()
    }

    /// Returns the separator between a label and its value.
    pub(super) const fn colon(self) -> &'static str {
        match self {
            Self::French => "\u{a0}:",
            _ => ":",
        }
    }

    /// Formats a number with its noun. French uses the singular for 0, the other languages the
    /// plural.
    pub(super) fn count(self, number: i128, one: &str, many: &str) -> String {
        let singular = match self {
            Self::French => matches!(number, -1..=1),
            _ => matches!(number, -1 | 1),
        };
        format!(
            "{} {}",
            self.number(number),
            if singular { one } else { many }
        )
    }

    /// Formats a number with thousands separators if it has at least five digits, because Spanish
    /// does not separate four.
    fn number(self, number: i128) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut text = String::from(if number < 0 { "-" } else { "" });
        for (index, digit) in digits.char_indices() {
            if index > 0 && digits.len() > 4 && (digits.len() - index).is_multiple_of(3) {
                text.push(match self {
                    Self::English => ',',
                    Self::French | Self::Spanish => '\u{a0}',
                    Self::German | Self::Dutch | Self::Danish => '.',
                });
            }
            text.push(digit);
        }
        text
    }
}

impl From<String> for Language {
    fn from(tag: String) -> Self {
        Self::from_tag(&tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves S2-19: the language is read from the tag of a directory.
    #[test]
    fn a_language_is_read_from_any_tag() {
        for (tag, language) in [
            ("de-AT", Language::German),
            ("DE", Language::German),
            ("fr_CA", Language::French),
            ("es-419", Language::Spanish),
            ("nl", Language::Dutch),
            ("da-DK", Language::Danish),
            ("en-GB", Language::English),
            ("pt-BR", Language::English),
            ("den", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::from_tag(tag), language, "{tag}");
        }
        for language in Language::ALL {
            let json = serde_json::to_value(language).expect("language not serialized");
            assert_eq!(json, language.code());
            let read: Language = serde_json::from_value(json).expect("language not deserialized");
            assert_eq!(read, language);
        }
        assert_eq!(
            serde_json::from_str::<Language>("\"sv\"").expect("language not deserialized"),
            Language::English
        );
    }

    #[test]
    fn numbers_and_nouns_agree() {
        let count = |language: Language, number| language.count(number, "one", "many");
        assert_eq!(count(Language::English, 0), "0 many");
        assert_eq!(count(Language::French, 0), "0 one");
        assert_eq!(count(Language::Danish, 1), "1 one");
        assert_eq!(count(Language::Spanish, 1234), "1234 many");
        assert_eq!(count(Language::English, 1_234_567), "1,234,567 many");
        assert_eq!(count(Language::German, 12_345), "12.345 many");
        assert_eq!(count(Language::French, 12_345), "12\u{a0}345 many");
    }
}
