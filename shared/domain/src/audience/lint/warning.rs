//! What a warning says.

use serde::{Deserialize, Serialize};

/// So many warnings are told at once.
pub const MAX_WARNINGS: usize = 100;

/// What is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// No person can ever meet the rule or the group, whatever the data says.
    NeverTrue,
    /// Every person meets the rule or the group, whatever the data says.
    AlwaysTrue,
    /// The group means the same without this rule.
    RuleWithoutEffect,
    /// No learner has this text.
    UnknownValue,
    /// A course that learners cannot see at present.
    UnpublishedCourse,
    /// A selected course that no longer exists.
    DeletedCourse,
    /// The audience holds nobody today.
    MatchesNobody,
    /// The audience holds every learner today.
    MatchesEverybody,
    /// Another profile means the same people.
    EqualToProfile,
}

/// Something odd about a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// What kind.
    pub kind: WarningKind,
    /// Where: a JSON pointer into the profile, such as `/filter/properties/rules/0`.
    pub pointer: String,
    /// What is odd and what to do about it, as one sentence.
    pub detail: String,
}

impl Warning {
    /// Profiles whose rules and overrides mean the same
    /// ([`crate::audience::fingerprint::fingerprint`]), by title. `None` without any.
    pub fn twins(titles: &[String]) -> Option<Self> {
        let (first, others) = titles.split_first()?;
        let more = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(Self::at(
            WarningKind::EqualToProfile,
            "",
            format!(
                "the profile {first:?}{more} has the same audience; one group can take all the courses"
            ),
        ))
    }

    pub(super) fn at(
        kind: WarningKind,
        pointer: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}
