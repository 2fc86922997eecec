//! The size limits of a change, and which of them a change exceeds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// When a change is too large to make without asking (S4-056…060). Exceeding
/// either limit holds the change; neither means "don't throttle".
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttle {
    /// Hold when adds and removes together exceed this many members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_changes: Option<u32>,
    /// Hold when adds and removes together exceed this percentage of the
    /// current members; not applicable while the group has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
}

/// Which limit a plan exceeds. Both may trip at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Exceeded {
    /// Adds and removes together.
    pub changes: usize,
    /// Members the group has now.
    pub current: usize,
    /// The count limit, when it is exceeded.
    pub max_changes: Option<u32>,
    /// The percentage limit, when it is exceeded.
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

/// Which limits so many changes exceed: strictly greater, either one trips
/// (S4-059); the percentage does not apply to a group without members (S4-060).
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
