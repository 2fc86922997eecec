//! Sorts changes into writes, one for each user or team, and the writes into phases.

use std::collections::BTreeMap;

use super::super::address_allocation::{Renaming, order};
use super::super::change::{ChangeKind, PlannedChange};
use super::super::keys::{ChangeSubject, Field, Member, TeamKey};
use super::super::target::{Platform, PlatformTeam};
use super::operation::{Operation, TeamChanges, Write, WritePhase};
use crate::base::ids::ObjectId;

/// Collects the changes of each user and team into writes.
pub(super) struct Sorter<'p> {
    platform: &'p Platform,
    keys: BTreeMap<ObjectId, &'p str>,
    teams: BTreeMap<TeamKey, &'p str>,
    renamings: Vec<(Renaming, ObjectId, usize)>,
    user_writes: BTreeMap<ObjectId, Write>,
    managers: Vec<Write>,
    team_writes: BTreeMap<TeamKey, Write>,
    leavers: Vec<Write>,
}

impl<'p> Sorter<'p> {
    pub(super) fn new(platform: &'p Platform) -> Self {
        let users = platform.users.iter();
        let teams = platform.teams.iter().rev();
        Self {
            platform,
            keys: users
                .filter_map(|(key, user)| Some((user.person?, key.as_str())))
                .collect(),
            teams: teams
                .filter_map(|(key, team)| Some((team.team?, key.as_str())))
                .collect(),
            renamings: Vec::new(),
            user_writes: BTreeMap::new(),
            managers: Vec::new(),
            team_writes: BTreeMap::new(),
            leavers: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, index: usize, change: &PlannedChange) {
        match change.subject {
            ChangeSubject::User(person) => self.add_user_change(index, person, change),
            ChangeSubject::Team(team) => self.add_team_change(index, team, change),
        }
    }

    fn add_user_change(&mut self, index: usize, person: ObjectId, change: &PlannedChange) {
        let subject = change.subject;
        match &change.what {
            ChangeKind::CreateUser { facts } => {
                let facts = facts.clone();
                let operation = Operation::CreateUser { facts };
                self.user_writes.insert(
                    person,
                    Write {
                        subject,
                        operation,
                        changes: vec![index],
                    },
                );
            }
            ChangeKind::LinkUser { user } => {
                if let Some((key, _)) = self.platform.users.get_key_value(user) {
                    self.keys.insert(person, key);
                    self.update_user(index, person, |_, _, link| *link = true);
                }
            }
            ChangeKind::ReactivateUser => {
                self.update_user(index, person, |_, active, _| *active = Some(true));
            }
            ChangeKind::SetField {
                field: Field::Manager,
                new,
                ..
            } => self.set_manager(index, person, new.as_ref(), subject),
            ChangeKind::SetField {
                field: Field::Email,
                new: Some(email),
                ..
            } => {
                if let Some(key) = self.keys.get(&person) {
                    let renaming = Renaming {
                        user: (*key).to_owned(),
                        to: email.clone(),
                    };
                    self.renamings.push((renaming, person, index));
                }
            }
            ChangeKind::SetField { field, new, .. } => {
                let (field, new) = (*field, new.clone());
                self.update_user(index, person, |facts, _, _| {
                    facts.insert(field, new);
                });
            }
            ChangeKind::DeactivateUser { .. } => {
                self.leavers
                    .extend(self.deactivations(index, person, subject));
            }
            _ => {}
        }
    }

    /// Adds to the write that changes an existing user.
    fn update_user(
        &mut self,
        index: usize,
        person: ObjectId,
        change: impl FnOnce(&mut BTreeMap<Field, Option<String>>, &mut Option<bool>, &mut bool),
    ) {
        let Some(key) = self.keys.get(&person) else {
            return;
        };
        let write = self.user_writes.entry(person).or_insert_with(|| Write {
            subject: ChangeSubject::User(person),
            operation: set_user(key),
            changes: Vec::new(),
        });
        if let Operation::SetUser {
            facts,
            active,
            link,
            ..
        } = &mut write.operation
        {
            change(facts, active, link);
            write.changes.push(index);
        }
    }

    fn set_manager(
        &mut self,
        index: usize,
        person: ObjectId,
        new: Option<&String>,
        subject: ChangeSubject,
    ) {
        let operation = match (self.keys.get(&person), new) {
            (Some(key), new) => {
                let mut operation = set_user(key);
                if let Operation::SetUser { facts, .. } = &mut operation {
                    facts.insert(Field::Manager, new.cloned());
                }
                Some(operation)
            }
            (None, Some(manager)) => manager
                .parse()
                .ok()
                .map(|manager| Operation::SetManager { manager }),
            (None, None) => None,
        };
        let write = operation.map(|operation| Write {
            subject,
            operation,
            changes: vec![index],
        });
        self.managers.extend(write);
    }

    /// Returns the writes that deactivate the user's active accounts; there may be several.
    fn deactivations(&self, index: usize, person: ObjectId, subject: ChangeSubject) -> Vec<Write> {
        let users = self.platform.users.iter();
        let theirs = users.filter(|(_, user)| user.person == Some(person) && user.active);
        let writes = theirs.map(|(key, _)| {
            let mut operation = set_user(key);
            if let Operation::SetUser { active, .. } = &mut operation {
                *active = Some(false);
            }
            Write {
                subject,
                operation,
                changes: vec![index],
            }
        });
        writes.collect()
    }

    fn add_team_change(&mut self, index: usize, key: TeamKey, change: &PlannedChange) {
        let subject = change.subject;
        if let ChangeKind::CreateTeam {
            name,
            members,
            supervisors,
        } = &change.what
        {
            let operation = Operation::CreateTeam {
                name: name.clone(),
                members: members.clone(),
                supervisors: supervisors.clone(),
            };
            self.team_writes.insert(
                key,
                Write {
                    subject,
                    operation,
                    changes: vec![index],
                },
            );
            return;
        }
        let Some(id) = self.teams.get(&key).copied() else {
            return;
        };
        let write = self.team_writes.entry(key).or_insert_with(|| Write {
            subject,
            operation: Operation::SetTeam {
                team: id.to_owned(),
                set: TeamChanges::default(),
            },
            changes: Vec::new(),
        });
        let Operation::SetTeam { set, .. } = &mut write.operation else {
            return;
        };
        match &change.what {
            ChangeKind::RenameTeam { new, .. } => set.name = Some(new.clone()),
            ChangeKind::AddMember { member } => _ = set.add.insert(member.clone()),
            ChangeKind::RemoveMember { member } => _ = set.remove.insert(member.clone()),
            ChangeKind::AddSupervisor { member } => _ = set.add_supervisors.insert(member.clone()),
            ChangeKind::RemoveSupervisor { member } => {
                _ = set.remove_supervisors.insert(member.clone());
            }
            ChangeKind::RestoreTeam => set.archived = Some(false),
            ChangeKind::ArchiveTeam { .. } => archive(set, &self.platform.teams[id]),
            _ => return,
        }
        write.changes.push(index);
    }

    pub(super) fn into_phases(self) -> Vec<WritePhase> {
        let by_user: BTreeMap<String, (ObjectId, usize)> = self
            .renamings
            .iter()
            .map(|(renaming, person, index)| (renaming.user.clone(), (*person, *index)))
            .collect();
        let renamings = self
            .renamings
            .into_iter()
            .map(|(renaming, ..)| renaming)
            .collect();
        let names =
            order(renamings, &self.platform.users)
                .into_iter()
                .map(|Renaming { user, to }| {
                    let (person, index) = by_user[&user];
                    let mut operation = set_user(&user);
                    if let Operation::SetUser { facts, .. } = &mut operation {
                        facts.insert(Field::Email, Some(to));
                    }
                    Write {
                        subject: ChangeSubject::User(person),
                        operation,
                        changes: vec![index],
                    }
                });
        let phase = |name, in_order, writes| WritePhase {
            name,
            in_order,
            writes,
        };
        let all = vec![
            phase("leavers", false, self.leavers),
            phase("addresses", true, names.collect()),
            phase("people", false, self.user_writes.into_values().collect()),
            phase("managers", false, self.managers),
            phase("teams", false, self.team_writes.into_values().collect()),
        ];
        all.into_iter()
            .filter(|phase| !phase.writes.is_empty())
            .collect()
    }
}

fn set_user(key: &str) -> Operation {
    Operation::SetUser {
        user: key.to_owned(),
        facts: BTreeMap::new(),
        active: None,
        link: false,
    }
}

fn archive(set: &mut TeamChanges, team: &PlatformTeam) {
    set.archived = Some(true);
    set.remove = team.members.iter().cloned().map(Member::Local).collect();
    set.remove_supervisors = team
        .supervisors
        .iter()
        .cloned()
        .map(Member::Local)
        .collect();
}
