//! What becomes of a plan: applied, held because it is too large, or kept for somebody to review.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::{ChangeKind, PlannedChange};
use super::config::{ApplyMode, SyncConfig};
use super::keys::ChangeSubject;
use super::plan::SyncPlan;
use crate::base::throttle::{Exceeded, exceeded_by};

/// Changes that may be made; only [`decide`] gives them out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "cleared changes that are not applied change nothing"]
pub struct ClearedChanges(Vec<PlannedChange>);

impl ClearedChanges {
    /// The changes.
    pub fn changes(&self) -> &[PlannedChange] {
        &self.0
    }
}

/// Which limit a plan exceeds, of people or of memberships, or both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LimitExceeded {
    /// People who would be deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Exceeded>,
    /// Members who would be taken out of teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memberships: Option<Exceeded>,
}

impl fmt::Display for LimitExceeded {
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
pub struct Approved(HashMap<String, PlannedChange>);

impl Approved {
    /// Everything of a reviewed plan that was not rejected since.
    pub fn of(changes: impl IntoIterator<Item = PlannedChange>) -> Self {
        Self(
            changes
                .into_iter()
                .map(|change| (change.key(), change))
                .collect(),
        )
    }

    /// How many of them a later plan does not make, as they are no longer needed, or
    /// no longer the same.
    pub fn missed(&self, plan: &SyncPlan) -> usize {
        let made = plan.changes.iter().filter(|change| self.covers(change));
        self.0.len().saturating_sub(made.count())
    }

    fn covers(&self, now: &PlannedChange) -> bool {
        self.0
            .get(&now.key())
            .is_some_and(|approved| approved.covers(now))
    }
}

/// What becomes of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is made now.
    pub apply: ClearedChanges,
    /// What waits for somebody: everything else.
    pub waiting: Vec<PlannedChange>,
    /// Why it waits although it would be applied by itself.
    pub held: Option<String>,
}

/// Decides. All or nothing: a plan that is too large makes no change by itself
/// (S3-36), and in a review nothing is made before somebody approves (S3-22).
/// What was approved is made, as far as it is still what was approved.
///
/// Two things go their own way. Accounts that ended in the directory are deactivated
/// even while the rest is held, within a limit of their own (C-35). And an account
/// that exists on the platform becomes somebody's only by a person's approval, since
/// an address is no proof of who somebody is.
pub fn decide(plan: &SyncPlan, config: &SyncConfig, approved: Option<&Approved>) -> Decision {
    let approve = |change: &PlannedChange| approved.is_some_and(|approved| approved.covers(change));
    let (mut now, rest): (Vec<_>, Vec<_>) = plan.changes.iter().cloned().partition(approve);
    let held = exceeded_limits(plan, config);
    let by_itself = config.apply == ApplyMode::Automatic && approved.is_none();
    let linked = links(&rest);
    let departures = !too_many_departures(plan, config);
    let goes = |change: &PlannedChange| {
        by_itself
            && !linked.contains(&change.subject)
            && (held.is_none() || (departures && is_departure(change)))
    };
    let (go, waiting): (Vec<_>, Vec<_>) = rest.into_iter().partition(goes);
    now.extend(go);
    let automatic = config.apply == ApplyMode::Automatic && !waiting.is_empty();
    Decision {
        apply: ClearedChanges(now),
        held: automatic.then(|| why(held, linked.len())).flatten(),
        waiting,
    }
}

/// People who would be linked to accounts that exist.
fn links(changes: &[PlannedChange]) -> BTreeSet<ChangeSubject> {
    let links = changes
        .iter()
        .filter(|change| matches!(change.what, ChangeKind::LinkUser { .. }));
    links.map(|change| change.subject).collect()
}

fn is_departure(change: &PlannedChange) -> bool {
    matches!(change.what, ChangeKind::DeactivateUser { reason } if reason.is_departure())
}

fn why(held: Option<LimitExceeded>, links: usize) -> Option<String> {
    let links = (links > 0).then(|| format!("{links} existing accounts would be linked to people"));
    let held = held.map(|held| held.to_string());
    let reasons: Vec<String> = held.into_iter().chain(links).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// So many accounts that ended are never too large a share: in a small organisation
/// one in ten leaves by itself. A limit by count counts all the same.
const FEW_DEPARTURES: usize = 3;

fn too_many_departures(plan: &SyncPlan, config: &SyncConfig) -> bool {
    let all = plan.changes.iter();
    let departures = all.filter(|change| is_departure(change)).count();
    exceeded_by(departures, plan.active, &config.guard)
        .is_some_and(|it| it.max_changes.is_some() || departures > FEW_DEPARTURES)
}

/// The limits a plan exceeds, as for profiles: strictly more than the count or
/// the percentage; the percentage means nothing while there is nobody. A few accounts
/// that ended do not count.
pub fn exceeded_limits(plan: &SyncPlan, config: &SyncConfig) -> Option<LimitExceeded> {
    let departures = plan
        .changes
        .iter()
        .filter(|change| is_departure(change))
        .count();
    let leavers = if too_many_departures(plan, config) {
        plan.leavers()
    } else {
        plan.leavers() - departures
    };
    let people = exceeded_by(leavers, plan.active, &config.guard);
    let memberships = exceeded_by(plan.removals(), plan.memberships, &config.guard);
    (people.is_some() || memberships.is_some()).then_some(LimitExceeded {
        people,
        memberships,
    })
}
