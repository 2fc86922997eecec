//! The size limits of a change, and which of them a change exceeds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest change that is made without approval (S4-056…060). A change that exceeds either
/// limit is held; without limits no change is held ("don't throttle").
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttle {
    /// Hold if adds and removes together exceed this number of members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_changes: Option<u32>,
    /// Hold if adds and removes together exceed this percentage of the current members; not
    /// applicable to a group without members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
}

/// The limits that a plan exceeds; both may be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Exceeded {
    /// Number of adds and removes together.
    pub changes: usize,
    /// Number of current members.
    pub current: usize,
    /// The count limit, if it is exceeded.
    pub max_changes: Option<u32>,
    /// The percentage limit, if it is exceeded.
    pub max_percent: Option<f64>,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            changes,
            current,
            max_changes,
            max_percent,
        } = self;
        write!(f, "{changes} member changes exceed the limit of ")?;
        match (max_changes, max_percent) {
            (Some(count), Some(percent)) => write!(
                f,
                "{count} members and of {percent} % of {current} current members"
            ),
            (Some(count), None) => write!(f, "{count} members"),
            (None, Some(percent)) => write!(f, "{percent} % of {current} current members"),
            (None, None) => write!(f, "nothing"),
        }
    }
}

/// Returns the limits that a number of changes exceeds (strictly greater, S4-059). The percentage
/// does not apply to a group without members (S4-060).
pub fn exceeded_by(changes: usize, current: usize, throttle: &Throttle) -> Option<Exceeded> {
    let max_changes = throttle
        .max_changes
        .filter(|limit| changes > *limit as usize);
    let max_percent = throttle
        .max_percent
        .filter(|limit| current > 0 && as_f64(changes) * 100.0 > limit * as_f64(current));
    (max_changes.is_some() || max_percent.is_some()).then_some(Exceeded {
        changes,
        current,
        max_changes,
        max_percent,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "groups are far smaller than 2^52 members"
)]
fn as_f64(count: usize) -> f64 {
    count as f64
}
