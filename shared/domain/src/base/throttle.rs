//! The size limits of a change, and which of them a change exceeds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest change that is made without approval (S4-056…060). A change that exceeds either
/// limit is held; without limits only the tenant's [`DefaultLimit`] applies ("don't throttle").
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
    /// Number of current members; of a replaced or empty group, the number after the last run.
    pub current: usize,
    /// The count limit, if it is exceeded.
    pub max_changes: Option<u32>,
    /// The percentage limit, if it is exceeded.
    pub max_percent: Option<f64>,
    /// True if the profile has no limit of its own, and the tenant's default limit is exceeded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_default: bool,
}

impl Throttle {
    /// Returns true if there is no limit.
    pub const fn is_unlimited(&self) -> bool {
        self.max_changes.is_none() && self.max_percent.is_none()
    }
}

/// The limit for profiles without one of their own, so that no first mistake goes unguarded: a
/// change is held if it exceeds both numbers. It is generous, because nobody chose it for the
/// profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DefaultLimit {
    /// Adds and removes together, in percent of the members of the group.
    pub max_percent: u32,
    /// Adds and removes together that are never held by this limit.
    pub min_changes: u32,
}

impl Default for DefaultLimit {
    /// Half of the members, and more than 20 changes.
    fn default() -> Self {
        Self {
            max_percent: 50,
            min_changes: 20,
        }
    }
}

/// All limits of a change of one group.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// The profile's limits.
    pub throttle: Throttle,
    /// The tenant's limit for profiles without one, unless it is switched off.
    pub default: Option<DefaultLimit>,
    /// The number of members after the last change that was completed, 0 before the first. A group
    /// that was replaced, or that is read as empty, is measured against it (F-24).
    pub last_members: usize,
}

impl Limits {
    /// Returns the limits that a change exceeds. The default limit does not apply to the first fill of
    /// a group, also if that takes several invocations or crashes in between.
    pub fn exceeded(&self, adds: usize, removes: usize, current: usize) -> Option<Exceeded> {
        let changes = adds + removes;
        let members = current.max(self.last_members);
        if !self.throttle.is_unlimited() {
            return exceeded_by(changes, members, &self.throttle);
        }
        let is_first_fill = self.last_members == 0 && removes == 0;
        let limit = self.default.filter(|_| !is_first_fill)?;
        let throttle = Throttle {
            max_changes: None,
            max_percent: Some(f64::from(limit.max_percent)),
        };
        let exceeded = exceeded_by(changes, members, &throttle)?;
        (changes > limit.min_changes as usize).then_some(Exceeded {
            is_default: true,
            ..exceeded
        })
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            changes,
            current,
            max_changes,
            max_percent,
            is_default,
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
        }?;
        if *is_default {
            write!(f, ", the default for profiles without a limit")?;
        }
        Ok(())
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
        is_default: false,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "groups are far smaller than 2^52 members"
)]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_limit(last_members: usize) -> Limits {
        Limits {
            default: Some(DefaultLimit::default()),
            last_members,
            ..Limits::default()
        }
    }

    /// F-2: a profile without limits has the tenant's default limit: both numbers must be exceeded.
    #[test]
    fn the_default_limit_holds_large_changes_of_profiles_without_limits() {
        let limits = default_limit(0);
        for (changes, current, held) in [
            (20, 20, false),
            (21, 30, true),
            (50, 100, false),
            (51, 100, true),
            (500, 0, false),
        ] {
            assert_eq!(
                limits.exceeded(0, changes, current).is_some(),
                held,
                "{changes} of {current}"
            );
        }
        let exceeded = limits.exceeded(30, 30, 100).expect("not held");
        assert_eq!(
            exceeded.to_string(),
            "60 member changes exceed the limit of 50 % of 100 current members, the default for profiles without a limit"
        );
        let own = Limits {
            throttle: Throttle {
                max_changes: Some(1_000),
                max_percent: None,
            },
            ..limits
        };
        assert_eq!(
            own.exceeded(0, 60, 100),
            None,
            "the profile has a limit of its own"
        );
        assert_eq!(
            Limits::default().exceeded(0, 60, 100),
            None,
            "the default is switched off"
        );
    }

    /// The rest of a first fill that was interrupted is part of the first fill.
    #[test]
    fn a_first_fill_is_not_limited_by_default_until_it_is_complete() {
        assert_eq!(default_limit(0).exceeded(1_000, 0, 400), None);
        assert!(default_limit(0).exceeded(1_000, 1, 400).is_some());
        assert!(default_limit(400).exceeded(1_000, 0, 400).is_some());
    }

    /// F-24: an empty group that had members is measured against them, also by its own limit.
    #[test]
    fn an_apparently_empty_group_is_measured_against_its_last_size() {
        assert!(default_limit(100).exceeded(60, 0, 0).is_some());
        let own = Limits {
            throttle: Throttle {
                max_changes: None,
                max_percent: Some(10.0),
            },
            last_members: 100,
            ..Limits::default()
        };
        assert!(own.exceeded(11, 0, 0).is_some() && own.exceeded(10, 0, 0).is_none());
    }
}
