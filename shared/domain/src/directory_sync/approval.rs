//! Decides which changes of a plan are applied and which wait for an approval.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::{ChangeKind, PlannedChange};
use super::config::{ApplyMode, SyncConfig};
use super::keys::ChangeSubject;
use super::plan::SyncPlan;
use crate::base::throttle::{Exceeded, exceeded_by};

/// Changes that may be applied; only [`decide`] creates them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "cleared changes have no effect until they are applied"]
pub struct ClearedChanges(Vec<PlannedChange>);

impl ClearedChanges {
    /// Returns the changes.
    pub fn changes(&self) -> &[PlannedChange] {
        &self.0
    }
}

/// The limits that a plan exceeds: of deactivated users, of removed members, or both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LimitExceeded {
    /// The exceeded limit of users to deactivate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Exceeded>,
    /// The exceeded limit of members to remove from teams.
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
                "{} users would be deactivated; {}",
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

/// The changes that an administrator approved, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approved(HashMap<String, PlannedChange>);

impl Approved {
    /// Approves all given changes: those of a reviewed plan that were not rejected.
    pub fn of(changes: impl IntoIterator<Item = PlannedChange>) -> Self {
        Self(
            changes
                .into_iter()
                .map(|change| (change.key(), change))
                .collect(),
        )
    }

    /// Returns the number of approved changes that a later plan does not contain, because they are
    /// no longer needed or have changed.
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

/// The decision about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Changes to apply now.
    pub apply: ClearedChanges,
    /// All other changes; they wait for an approval.
    pub waiting: Vec<PlannedChange>,
    /// Why changes wait although the mode is automatic.
    pub held: Option<String>,
}

/// Decides which changes of a plan are applied now. In automatic mode, a plan that exceeds a limit
/// is held as a whole (S3-36). In review mode, nothing is applied before an administrator approves
/// it (S3-22). Approved changes are applied if they are still the same.
///
/// There are two exceptions. Accounts that were disabled or deleted in the directory are
/// deactivated even while the rest is held, within a separate limit (C-35). An existing account of
/// the platform is linked only after an approval, because an address does not prove an identity.
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

/// Returns the users who would be linked to existing accounts.
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
    let links = (links > 0)
        .then(|| format!("{links} existing accounts would be linked to directory users"));
    let held = held.map(|held| held.to_string());
    let reasons: Vec<String> = held.into_iter().chain(links).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Up to this number, departures never exceed a percentage limit: in a small organisation a single
/// departure may already be a large share. A limit by count still applies.
const FEW_DEPARTURES: usize = 3;

fn too_many_departures(plan: &SyncPlan, config: &SyncConfig) -> bool {
    let all = plan.changes.iter();
    let departures = all.filter(|change| is_departure(change)).count();
    exceeded_by(departures, plan.active, &config.guard)
        .is_some_and(|it| it.max_changes.is_some() || departures > FEW_DEPARTURES)
}

/// Returns the limits that a plan exceeds: strictly more than the count or the percentage, as for
/// profiles. The percentage is ignored if there are no active users. Departures do not count up to
/// their separate limit.
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
