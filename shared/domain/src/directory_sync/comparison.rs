//! What is compared, and what the phases of a comparison find.

use std::collections::BTreeSet;

use super::change::{ChangeKind, PlannedChange};
use super::config::SyncConfig;
use super::keys::ChangeSubject;
use super::pins::Pins;
use super::skip_reason::{Skip, SkipReason};
use super::source::{DirectoryPerson, SourceDirectory};
use super::target::{Features, Linked, Platform, PlatformUser};
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

/// Both sides of a comparison; nothing in it changes while the phases run.
pub(super) struct Comparison<'a> {
    pub(super) input: PlanInput<'a>,
    pub(super) linked: Linked<'a>,
    /// People who had a user on the platform when the last run ended.
    linked_before: BTreeSet<ObjectId>,
}

/// What the phases found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Proposed changes.
    pub(super) changes: Vec<PlannedChange>,
    /// Changes that administrators decided against.
    pub(super) pinned: Vec<PlannedChange>,
    /// People who are left as they are, with the reason.
    pub(super) skipped: Vec<Skip>,
    /// Who is there once everything is done: on the platform, active, belonging.
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

    /// The user as the last run left it.
    pub(super) fn previous(&self, key: &str) -> Option<&'a PlatformUser> {
        self.input.before.and_then(|before| before.users.get(key))
    }

    /// Whether the person had a user on the platform when the last run ended.
    pub(super) fn was_linked(&self, person: ObjectId) -> bool {
        self.linked_before.contains(&person)
    }

    /// The existing user that a proposed change links to the person.
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

    /// Adds a change unless administrators decided against it. Returns whether it was added.
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
    /// Records that a person is left as they are.
    pub(super) fn skip(&mut self, person: ObjectId, it: &DirectoryPerson, reason: SkipReason) {
        let name = it.label();
        self.skipped.push(Skip {
            person,
            name,
            reason,
        });
    }
}
