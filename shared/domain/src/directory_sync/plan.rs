//! Compares a directory with a platform: every change, who is skipped, what people decided against.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{ChangeKind, PlannedChange};
use super::config::SyncConfig;
use super::keys::ChangeSubject;
use super::pins::Pins;
use super::skip_reason::Skip;
use super::source::SourceDirectory;
use super::target::{Features, Linked, Platform, PlatformUser};
use super::users::UserFindings;
use super::{teams, users};
use crate::base::ids::ObjectId;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// What administrators chose.
    pub config: &'a SyncConfig,
    /// What was read of the directory.
    pub directory: &'a SourceDirectory,
    /// Who fits the Graph filter, if there is one.
    pub fitting: Option<&'a BTreeSet<ObjectId>>,
    /// What was read of the platform.
    pub platform: &'a Platform,
    /// What the platform can keep.
    pub features: Features,
    /// What people decided against.
    pub pins: &'a Pins,
    /// The platform as the last run left it: what is different by now was done by hand.
    pub before: Option<&'a Platform>,
}

/// Everything that has to change for the platform to be as the directory is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncPlan {
    /// The changes: people by object id, then teams.
    pub changes: Vec<PlannedChange>,
    /// Who is left as they are because something is missing or in the way.
    pub skipped: Vec<Skip>,
    /// Changes that people decided against.
    pub pinned: Vec<PlannedChange>,
    /// Linked and active people now.
    pub active: usize,
    /// Members of all teams of ours now.
    pub memberships: usize,
}

/// How many there are of each kind (S2-41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncCounts))]
#[serde(rename_all = "camelCase", default)]
pub struct SyncCounts {
    /// People created.
    pub users_created: u64,
    /// People of whom something changed, links included.
    pub users_updated: u64,
    /// People deactivated.
    pub users_deactivated: u64,
    /// People brought back.
    pub users_reactivated: u64,
    /// Teams created.
    pub teams_created: u64,
    /// Teams whose name, members or supervisors changed.
    pub teams_updated: u64,
    /// Teams archived.
    pub teams_archived: u64,
    /// Changes that undo what was done by hand.
    pub manual_overwritten: u64,
}

impl SyncCounts {
    /// Counts changes; people and teams with several are counted once of each kind.
    pub fn of<'c>(changes: impl IntoIterator<Item = &'c PlannedChange>) -> Self {
        let mut counts = Self::default();
        let (mut touched, mut made) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            counts.manual_overwritten += u64::from(change.overwrites_manual);
            let kind: &mut u64 = match change.what {
                ChangeKind::CreateUser { .. } => &mut counts.users_created,
                ChangeKind::DeactivateUser { .. } => &mut counts.users_deactivated,
                ChangeKind::ReactivateUser => &mut counts.users_reactivated,
                ChangeKind::CreateTeam { .. } => &mut counts.teams_created,
                ChangeKind::ArchiveTeam { .. } => &mut counts.teams_archived,
                _ => {
                    touched.insert(change.subject);
                    continue;
                }
            };
            if matches!(
                change.what,
                ChangeKind::CreateUser { .. } | ChangeKind::CreateTeam { .. }
            ) {
                made.insert(change.subject);
            }
            *kind += 1;
        }
        for subject in touched.difference(&made) {
            match subject {
                ChangeSubject::User(_) => counts.users_updated += 1,
                ChangeSubject::Team(_) => counts.teams_updated += 1,
            }
        }
        counts
    }
}

impl SyncPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// People who would be deactivated.
    pub fn leavers(&self) -> usize {
        self.count(|what| matches!(what, ChangeKind::DeactivateUser { .. }))
    }

    /// Members who would be taken out of teams, those of archived teams included.
    pub fn removals(&self) -> usize {
        let archived = self.changes.iter().map(|change| match change.what {
            ChangeKind::ArchiveTeam { members } => members,
            _ => 0,
        });
        archived.sum::<usize>() + self.count(|what| matches!(what, ChangeKind::RemoveMember { .. }))
    }

    fn count(&self, is: impl Fn(&ChangeKind) -> bool) -> usize {
        self.changes
            .iter()
            .filter(|change| is(&change.what))
            .count()
    }

    /// What kinds of changes there are.
    pub fn counts(&self) -> SyncCounts {
        SyncCounts::of(&self.changes)
    }

    /// The same for the same changes, on every machine.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for change in &self.changes {
            let line = serde_json::to_vec(change).unwrap_or_default();
            hash.update(line.len().to_le_bytes());
            hash.update(&line);
        }
        hex::encode(hash.finalize())
    }
}

impl SyncCounts {
    /// By the names under which a run's record has them.
    pub fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("usersCreated", self.users_created),
            ("usersUpdated", self.users_updated),
            ("usersDeactivated", self.users_deactivated),
            ("usersReactivated", self.users_reactivated),
            ("teamsCreated", self.teams_created),
            ("teamsUpdated", self.teams_updated),
            ("teamsArchived", self.teams_archived),
            ("manualOverwritten", self.manual_overwritten),
        ]
    }
}

/// One comparison at work.
pub(super) struct Comparison<'a> {
    pub(super) input: PlanInput<'a>,
    pub(super) linked: Linked<'a>,
    once: BTreeSet<ObjectId>,
    pinned: std::cell::RefCell<Vec<PlannedChange>>,
}

impl<'a> Comparison<'a> {
    /// The user as the last run left it.
    pub(super) fn was(&self, key: &str) -> Option<&'a PlatformUser> {
        self.input.before.and_then(|before| before.users.get(key))
    }

    /// Whether the platform had somebody for this person when the last run ended.
    pub(super) fn once_linked(&self, person: ObjectId) -> bool {
        self.once.contains(&person)
    }

    /// The user that is about to be linked to a person.
    pub(super) fn to_link(&self, person: ObjectId, found: &UserFindings) -> Option<&'a str> {
        let about = found
            .changes
            .iter()
            .rev()
            .find_map(|change| match &change.what {
                ChangeKind::LinkUser { user } if change.subject == ChangeSubject::User(person) => {
                    Some(user)
                }
                _ => None,
            })?;
        let users = &self.linked.platform.users;
        users
            .get_key_value(about.as_str())
            .map(|(key, _)| key.as_str())
    }

    /// Takes a change in unless people decided against it; whether it was taken.
    pub(super) fn keep(&self, change: PlannedChange, found: &mut UserFindings) -> bool {
        let held = self.input.pins.holds(&change);
        if held {
            self.pinned.borrow_mut().push(change);
        } else {
            found.changes.push(change);
        }
        !held
    }
}

/// Compares. The order of what was read makes no difference.
pub fn plan(input: PlanInput<'_>) -> SyncPlan {
    let linked = Linked::of(input.platform);
    let active = linked.active();
    let before = input.before.map(|before| before.users.values());
    let once = before.into_iter().flatten().filter_map(|user| user.person);
    let task = Comparison {
        input,
        once: once.collect(),
        linked,
        pinned: std::cell::RefCell::default(),
    };
    let mut found = users::compare(&task);
    let memberships = teams::compare(&task, &mut found);
    let mut plan = SyncPlan {
        changes: found.changes,
        skipped: found.skipped,
        pinned: task.pinned.into_inner(),
        active,
        memberships,
    };
    plan.changes.sort_by_cached_key(PlannedChange::place);
    plan.pinned.sort_by_cached_key(PlannedChange::place);
    plan.skipped
        .sort_by(|a, b| (a.person, &a.reason).cmp(&(b.person, &b.reason)));
    plan
}
