//! What becomes of a plan: applied, held because it is too large, or kept for somebody to review.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::config::{ApplyMode, SyncConfig};
use super::plan::SyncPlan;
use crate::plan::guard::{Exceeded, exceeded_by};

/// Changes that may be made; only [`decide`] gives them out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "cleared changes that are not applied change nothing"]
pub struct Cleared(Vec<Change>);

impl Cleared {
    /// The changes.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }
}

/// Which limit a plan exceeds, of people or of memberships, or both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TooMuch {
    /// People who would be deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Exceeded>,
    /// Members who would be taken out of teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memberships: Option<Exceeded>,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = |it: &Exceeded| match (it.max_changes, it.max_percent) {
            (Some(count), _) => format!("the limit is {count}"),
            (None, Some(percent)) => format!("the limit is {percent} % of {}", it.current),
            (None, None) => String::new(),
        };
        if let Some(people) = &self.people {
            write!(
                f,
                "{} people would be deactivated; {}",
                people.changes,
                limit(people)
            )?;
        }
        if let Some(memberships) = &self.memberships {
            let join = if self.people.is_some() { ", and " } else { "" };
            let count = memberships.changes;
            write!(
                f,
                "{join}{count} members would leave teams; {}",
                limit(memberships)
            )?;
        }
        Ok(())
    }
}

/// What somebody approved: exactly these changes, by what they are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approved(HashMap<String, Change>);

impl Approved {
    /// Everything of a reviewed plan that was not rejected since.
    pub fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        Self(
            changes
                .into_iter()
                .map(|change| (change.key(), change))
                .collect(),
        )
    }

    fn covers(&self, now: &Change) -> bool {
        self.0
            .get(&now.key())
            .is_some_and(|approved| approved.covers(now))
    }
}

/// What becomes of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// What is made now.
    pub apply: Cleared,
    /// What waits for somebody: everything else.
    pub waiting: Vec<Change>,
    /// Why it waits although it would be applied by itself.
    pub held: Option<TooMuch>,
}

/// Decides. All or nothing: a plan that is too large makes no change by itself
/// (S3-36), and in a review nothing is made before somebody approves (S3-22).
/// What was approved is made, as far as it is still what was approved.
pub fn decide(plan: &SyncPlan, config: &SyncConfig, approved: Option<&Approved>) -> Course {
    let approve = |change: &Change| approved.is_some_and(|approved| approved.covers(change));
    let (now, rest): (Vec<_>, Vec<_>) = plan.changes.iter().cloned().partition(approve);
    let held = too_much(plan, config);
    let waits = config.apply == ApplyMode::Review || held.is_some();
    if approved.is_some() || waits {
        let held = held.filter(|_| !rest.is_empty() && config.apply == ApplyMode::Automatic);
        return Course {
            apply: Cleared(now),
            waiting: rest,
            held,
        };
    }
    Course {
        apply: Cleared(rest),
        waiting: Vec::new(),
        held: None,
    }
}

/// The limits a plan exceeds, as for profiles: strictly more than the count or
/// the percentage; the percentage means nothing while there is nobody.
pub fn too_much(plan: &SyncPlan, config: &SyncConfig) -> Option<TooMuch> {
    let people = exceeded_by(plan.leavers(), plan.active, &config.guard);
    let memberships = exceeded_by(plan.removals(), plan.memberships, &config.guard);
    (people.is_some() || memberships.is_some()).then_some(TooMuch {
        people,
        memberships,
    })
}
