//! Conditions of writes: the item does not exist, or it has the version that was read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::SORT_KEY;
use super::items::number;

/// A condition expression with its names and values.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Condition {
    /// Returns the condition that the item does not exist.
    pub(super) fn absent() -> Self {
        Self {
            expression: "attribute_not_exists(#entity)".to_owned(),
            names: Some(HashMap::from([("#entity".to_owned(), SORT_KEY.to_owned())])),
            values: None,
        }
    }

    /// Returns the condition that the item has this version, or does not exist if `None`.
    pub(super) fn version(version: Option<u64>) -> Self {
        let Some(version) = version else {
            return Self::absent();
        };
        Self {
            expression: "#version = :version".to_owned(),
            names: Some(HashMap::from([(
                "#version".to_owned(),
                "version".to_owned(),
            )])),
            values: Some(HashMap::from([(":version".to_owned(), number(version))])),
        }
    }
}
