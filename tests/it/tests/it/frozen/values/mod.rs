//! Values inside of what is stored: every variant of every enum, reports, names and hashes that are derived.

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

/// Every variant of an enum without fields. A new variant does not compile
/// before it stands here, too.
macro_rules! every {
    ($kind:ident: $($variant:ident),+ $(,)?) => {{
        let written = |one: &$kind| match one {
            $(| $kind::$variant)+ => crate::frozen::values::written(one),
        };
        let all = [$($kind::$variant),+];
        all.iter().map(written).collect::<Vec<_>>()
    }};
}

/// Does not compile when one of these variants is missing; for enums with fields.
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

/// A value as it is written, which must also be how it is read.
pub(super) fn written<T>(value: &T) -> Value
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let json = serde_json::to_value(value).expect("plain data");
    let read: T = serde_json::from_value(json.clone()).expect("what was written can be read");
    assert_eq!(&read, value);
    json
}
