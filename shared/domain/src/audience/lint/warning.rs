//! Warnings about a profile.

use serde::{Deserialize, Serialize};

/// Maximum number of warnings returned for a profile.
pub const MAX_WARNINGS: usize = 100;

/// The kind of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// No learner can ever match the rule or group, whatever the data is.
    NeverTrue,
    /// Every learner matches the rule or group, whatever the data is.
    AlwaysTrue,
    /// The group has the same result without this rule.
    RuleWithoutEffect,
    /// No learner has this text.
    UnknownValue,
    /// A course is not published, so learners cannot see it.
    UnpublishedCourse,
    /// A selected course no longer exists.
    DeletedCourse,
    /// The audience contains no learner today.
    MatchesNobody,
    /// The audience contains every learner today.
    MatchesEverybody,
    /// Another profile has an equivalent definition.
    EqualToProfile,
}

/// A warning about a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// The kind.
    pub kind: WarningKind,
    /// JSON pointer into the profile, for example `/filter/properties/rules/0`.
    pub pointer: String,
    /// The cause and the remedy, as one sentence.
    pub detail: String,
}

impl Warning {
    /// Returns a warning about the profiles with the same fingerprint
    /// ([`crate::audience::fingerprint::fingerprint`]), given by title. `None` if there are none.
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
                "this profile has the same audience as {first:?}{more}; one profile can contain all the courses"
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
