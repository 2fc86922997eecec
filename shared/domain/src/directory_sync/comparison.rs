//! The input of a comparison and the findings of its phases.

use std::collections::BTreeSet;

use super::change::{ChangeKind, PlannedChange};
use super::config::SyncConfig;
use super::keys::ChangeSubject;
use super::pins::Pins;
use super::skip_reason::{Skip, SkipReason};
use super::source::{DirectoryPerson, SourceDirectory};
use super::target::{Features, Linked, Platform, PlatformUser};
use crate::base::ids::ObjectId;

/// The input of a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The tenant's configuration.
    pub config: &'a SyncConfig,
    /// The directory as read.
    pub directory: &'a SourceDirectory,
    /// Users who match the Graph filter; `None` without a filter.
    pub matches_graph_filter: Option<&'a BTreeSet<ObjectId>>,
    /// The platform as read.
    pub platform: &'a Platform,
    /// Fields and functions that the platform supports.
    pub features: Features,
    /// Changes that administrators rejected.
    pub pins: &'a Pins,
    /// The platform at the end of the last run: differences from it are manual changes.
    pub before: Option<&'a Platform>,
}

/// Both sides of a comparison; they do not change while the phases run.
pub(super) struct Comparison<'a> {
    pub(super) input: PlanInput<'a>,
    pub(super) linked: Linked<'a>,
    /// Directory users who had an account on the platform when the last run ended.
    linked_before: BTreeSet<ObjectId>,
}

/// The findings of the phases so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Proposed changes.
    pub(super) changes: Vec<PlannedChange>,
    /// Changes that a pin rejects.
    pub(super) pinned: Vec<PlannedChange>,
    /// Skipped users, with the reason.
    pub(super) skipped: Vec<Skip>,
    /// Users who will be active and eligible on the platform once the plan is applied.
    pub(super) present: BTreeSet<ObjectId>,
}

impl<'a> Comparison<'a> {
    /// Links the users and teams of the platform to the directory.
    pub(super) fn new(input: PlanInput<'a>) -> Self {
        let before = input.before.map(|before| before.users.values());
        let linked_before = before.into_iter().flatten().filter_map(|user| user.person);
        Self {
            linked_before: linked_before.collect(),
            linked: Linked::of(input.platform),
            input,
        }
    }

    /// Returns the platform's user as the last run left it.
    pub(super) fn previous(&self, key: &str) -> Option<&'a PlatformUser> {
        self.input.before.and_then(|before| before.users.get(key))
    }

    /// Returns true if the directory user had an account on the platform when the last run ended.
    pub(super) fn was_linked(&self, person: ObjectId) -> bool {
        self.linked_before.contains(&person)
    }

    /// Returns the existing account that a proposed change links to the directory user.
    pub(super) fn user_to_link(&self, person: ObjectId, findings: &Findings) -> Option<&'a str> {
        let user = findings
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
            .get_key_value(user.as_str())
            .map(|(key, _)| key.as_str())
    }

    /// Adds a change unless a pin rejects it. Returns true if it was added.
    pub(super) fn propose(&self, change: PlannedChange, findings: &mut Findings) -> bool {
        let pinned = self.input.pins.holds(&change);
        if pinned {
            findings.pinned.push(change);
        } else {
            findings.changes.push(change);
        }
        !pinned
    }
}

impl Findings {
    /// Records that a user is skipped.
    pub(super) fn skip(&mut self, person: ObjectId, it: &DirectoryPerson, reason: SkipReason) {
        let name = it.label();
        self.skipped.push(Skip {
            person,
            name,
            reason,
        });
    }
}
