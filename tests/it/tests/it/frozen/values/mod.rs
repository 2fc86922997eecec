//! Values in stored documents: all variants of all enums, reports, and derived names and hashes.

mod derived;
mod directory;
mod enums;
mod lacking;
pub(super) mod reports;
pub(super) mod sessions;
pub(super) mod sync;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Serializes every variant of an enum without fields. Does not compile if a variant is not listed.
macro_rules! every {
    ($kind:ident: $($variant:ident),+ $(,)?) => {{
        let written = |one: &$kind| match one {
            $(| $kind::$variant)+ => crate::frozen::values::written(one),
        };
        let all = [$($kind::$variant),+];
        all.iter().map(written).collect::<Vec<_>>()
    }};
}

/// The same for enums with fields.
macro_rules! known {
    ($all:expr, $kind:ident: $($variant:ident),+ $(,)?) => {{
        let written = |one: &$kind| match one {
            $(| $kind::$variant { .. })+ => crate::frozen::values::written(one),
        };
        $all.iter().map(written).collect::<Vec<_>>()
    }};
}

pub(crate) use every;
pub(crate) use known;

/// Serializes a value and asserts that reading it returns an equal value.
pub(super) fn written<T>(value: &T) -> Value
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let json = serde_json::to_value(value).expect("not serialized");
    let read: T = serde_json::from_value(json.clone()).expect("not deserialized");
    assert_eq!(&read, value);
    json
}
