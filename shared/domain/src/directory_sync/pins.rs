//! Decisions of people that later runs respect: what was rejected in a review stays as it is (C-26).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change::PlannedChange;
use crate::base::audit::Actor;

/// One decision to leave something as it is on the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncPin))]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// What is left as it is: the key of a change.
    pub key: String,
    /// The change that was rejected, in words.
    pub rejected: String,
    /// Who decided.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
}

impl Pin {
    /// The decision against a change.
    pub fn against(change: &PlannedChange, by: Actor, at: DateTime<Utc>) -> Self {
        Self {
            key: change.key(),
            rejected: change.to_string(),
            by,
            at,
        }
    }
}

/// All decisions of a tenant, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins(BTreeMap<String, Pin>);

impl Pins {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is one of this key.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether something is to be left as it is.
    pub fn holds(&self, change: &PlannedChange) -> bool {
        !self.0.is_empty() && self.0.contains_key(&change.key())
    }
}

impl FromIterator<Pin> for Pins {
    fn from_iter<T: IntoIterator<Item = Pin>>(pins: T) -> Self {
        Self(pins.into_iter().map(|pin| (pin.key.clone(), pin)).collect())
    }
}
