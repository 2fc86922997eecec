//! Explains why one learner is or is not in an audience, and what would change that.
//!
//! The result is the same as that of [`crate::audience::desired_members::evaluate`]. It concerns
//! the audience; whether the group is updated at once depends on the profile's settings and limits.

mod applied_override;
mod counterfactuals;
mod decisive_rules;
mod operand;
mod phrasing;
mod text;
mod trace;
mod tree;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::desired_members::{Audience, AudienceError};
use super::profile::{Profile, Target};
use crate::base::ids::{ProfileId, UserId};
use crate::rules::Fields;
use crate::snapshot::{Property, Snapshot};

pub use applied_override::Named;
pub use counterfactuals::{Way, WhatIfChange, WhatIfStep};
pub use tree::{SeenGroup, SeenPart, SeenRule};

/// A profile that an override names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherProfile {
    /// Its title.
    pub title: String,
    /// True if its audience contains the learner.
    pub member: bool,
}

/// The cause of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Cause))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum MembershipCause {
    /// The rules match.
    Rules,
    /// No rule matches, but an override includes the learner.
    Included(Named),
    /// An override excludes the learner regardless of the rules.
    Excluded(Named),
    /// Neither a rule matches nor an override includes the learner.
    NotMatched,
}

/// The reasons why one learner is or is not in an audience. `Display` writes them as a short text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The profile's id.
    pub profile: ProfileId,
    /// The profile's title.
    pub profile_title: String,
    /// The learner's user id in the LMS.
    pub user: UserId,
    /// The learner's name, if the LMS has one.
    pub name: Option<String>,
    /// The time for which the rules were evaluated.
    pub at: DateTime<Utc>,
    /// True if the audience contains the learner.
    pub member: bool,
    /// True if the learner has an Entra account. Without one, the learner cannot be in the group,
    /// even as a member of the audience.
    pub reachable: bool,
    /// The cause of the result.
    pub because: MembershipCause,
    /// The rules with the value that each read. The parts are the sections, combined as in the
    /// filter. `None` if the profile has no rules.
    pub rules: Option<SeenGroup>,
    /// The overrides that include the learner.
    pub inclusions: Vec<Named>,
    /// The overrides that exclude the learner; one is enough.
    pub exclusions: Vec<Named>,
    /// The changes that would reverse "in the group" (member and reachable): fewest steps first; of
    /// equal ones, a change to rules comes first. Each is the shortest of its kind.
    pub ways: Vec<Way>,
}

/// Explains whether a learner is in a profile's audience at a given time.
///
/// `others` returns the data of a profile that an override names, or `None` if its audience cannot
/// be determined. Returns `None` if the snapshot does not contain the learner, who is then in no
/// audience (S4-044).
///
/// # Errors
/// The errors of [`Audience::of`]; [`AudienceError::Cycle`] if the profile names itself;
/// [`AudienceError::Dependency`] if `others` returns `None` for a profile.
pub fn explain(
    profile: &Profile,
    snapshot: &Snapshot,
    at: DateTime<Utc>,
    user: UserId,
    others: &dyn Fn(ProfileId) -> Option<OtherProfile>,
) -> Result<Option<Explanation>, AudienceError> {
    let fields = Fields::of(snapshot);
    let audience = Audience::of(profile, &fields)?;
    let Some(row) = snapshot.people.row(user) else {
        return Ok(None);
    };
    let applying = |targets| applying(targets, profile.id, user, others);
    let exclusions = applying(&profile.overrides.exclude)?;
    let inclusions = applying(&profile.overrides.include)?;
    let mut rules = match &audience.filter {
        Some(filter) => {
            Some(trace::UserTrace::new(profile, snapshot, &fields, filter, at, row).filter()?)
        }
        None => None,
    };
    let because = cause(rules.as_ref(), &inclusions, &exclusions);
    if let (Some(rules), MembershipCause::Rules | MembershipCause::NotMatched) =
        (&mut rules, &because)
    {
        decisive_rules::mark_decisive(rules);
    }
    let member = matches!(
        because,
        MembershipCause::Rules | MembershipCause::Included(_)
    );
    let reachable = snapshot.people.is_reachable(row);
    let name = snapshot.people.property(Property::Title, row);
    Ok(Some(Explanation {
        profile: profile.id,
        profile_title: profile.title.clone(),
        user,
        name: name.map(str::to_owned),
        at,
        member,
        reachable,
        because,
        ways: counterfactuals::counterfactuals(
            member,
            reachable,
            rules.as_ref(),
            &inclusions,
            &exclusions,
        ),
        rules,
        inclusions,
        exclusions,
    }))
}

/// Determines the cause: exclusions win, then rules, then inclusions.
fn cause(rules: Option<&SeenGroup>, inclusions: &[Named], exclusions: &[Named]) -> MembershipCause {
    if let Some(exclusion) = exclusions.first() {
        MembershipCause::Excluded(exclusion.clone())
    } else if rules.is_some_and(|rules| rules.holds) {
        MembershipCause::Rules
    } else if let Some(inclusion) = inclusions.first() {
        MembershipCause::Included(inclusion.clone())
    } else {
        MembershipCause::NotMatched
    }
}

/// Returns the overrides of one list that apply to the learner; overrides by name come first.
fn applying(
    targets: &BTreeSet<Target>,
    own: ProfileId,
    person: UserId,
    others: &dyn Fn(ProfileId) -> Option<OtherProfile>,
) -> Result<Vec<Named>, AudienceError> {
    let mut applying = Vec::new();
    for target in targets {
        match *target {
            Target::User(user) if user == person => applying.push(Named {
                target: *target,
                title: None,
            }),
            Target::User(_) => {}
            Target::Profile(on) if on == own => return Err(AudienceError::Cycle),
            Target::Profile(on) => {
                let other = others(on).ok_or(AudienceError::Dependency { on })?;
                if other.member {
                    applying.push(Named {
                        target: *target,
                        title: Some(other.title),
                    });
                }
            }
        }
    }
    Ok(applying)
}

#[cfg(test)]
mod tests;
