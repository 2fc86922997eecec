//! Deserializes JSON values of third parties leniently, borrowing from the response if possible.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// A string, borrowed unless it contains escapes. (The derived deserializer of an optional `Cow`
/// always copies.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// Any JSON value; the content of arrays and objects is discarded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain<'a> {
    /// `null`.
    Nothing,
    /// `true` or `false`.
    Truth(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array or an object.
    Nested,
}

impl<'a> Plain<'a> {
    /// Returns the value as a string; `None` for `null` and nested values.
    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Nothing | Self::Nested => None,
            Self::Truth(true) => Some(Cow::Borrowed("true")),
            Self::Truth(false) => Some(Cow::Borrowed("false")),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Text(text) => Some(text),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Plain<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainReader)
    }
}

struct PlainReader;

impl<'de> Visitor<'de> for PlainReader {
    type Value = Plain<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Plain<'de>, E> {
        Ok(Plain::Nothing)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Plain<'de>, E> {
        Ok(Plain::Truth(truth))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Plain<'de>, E> {
        Ok(Number::from_f64(number).map_or(Plain::Nothing, Plain::Number))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Plain<'de>, E> {
        Ok(Plain::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Plain<'de>, E> {
        Ok(Plain::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Plain<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Plain::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Plain<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Plain::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_distinguished_and_borrowed_where_nothing_is_escaped() {
        let json = r#"[null, true, 12.5, 7, -7, "Denver", "a\"b", [1, [2]], {"a": {"b": 1}}]"#;
        let values: Vec<Plain<'_>> = serde_json::from_str(json).expect("invalid JSON");
        assert!(matches!(&values[5], Plain::Text(Cow::Borrowed("Denver"))));
        let texts: Vec<_> = values.into_iter().map(Plain::into_text).collect();
        let expected = [
            None,
            Some("true"),
            Some("12.5"),
            Some("7"),
            Some("-7"),
            Some("Denver"),
            Some("a\"b"),
            None,
            None,
        ];
        assert_eq!(
            texts.iter().map(Option::as_deref).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn a_text_is_nothing_but_a_text() {
        let borrowed: Text<'_> = serde_json::from_str("\"Oslo\"").expect("a text");
        assert!(matches!(borrowed.0, Cow::Borrowed("Oslo")));
        assert!(serde_json::from_str::<Text<'_>>("7").is_err());
        assert_eq!(
            serde_json::from_str::<Option<Text<'_>>>("null").expect("null"),
            None
        );
    }
}
