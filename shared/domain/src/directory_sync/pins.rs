//! Pins: changes that an administrator rejected in a review and that later runs do not propose
//! (C-26).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change::PlannedChange;
use crate::base::audit::Actor;

/// An administrator's decision that one change must not be made on the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncPin))]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// Key of the rejected change (see [`PlannedChange::key`]).
    pub key: String,
    /// Text of the rejected change.
    pub rejected: String,
    /// The user who rejected the change.
    pub by: Actor,
    /// Time of the decision.
    pub at: DateTime<Utc>,
}

impl Pin {
    /// Creates a pin that rejects `change`.
    pub fn against(change: &PlannedChange, by: Actor, at: DateTime<Utc>) -> Self {
        Self {
            key: change.key(),
            rejected: change.to_string(),
            by,
            at,
        }
    }
}

/// All pins of a tenant, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins(BTreeMap<String, Pin>);

impl Pins {
    /// Returns the number of pins.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no pins.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if there is a pin with this key.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns true if a pin rejects this change.
    pub fn holds(&self, change: &PlannedChange) -> bool {
        !self.0.is_empty() && self.0.contains_key(&change.key())
    }
}

impl FromIterator<Pin> for Pins {
    fn from_iter<T: IntoIterator<Item = Pin>>(pins: T) -> Self {
        Self(pins.into_iter().map(|pin| (pin.key.clone(), pin)).collect())
    }
}
