//! Sorts changes into writes, one for each person or team, and the writes into phases.

use std::collections::BTreeMap;

use super::address_allocation::{Renaming, order};
use super::change::{ChangeKind, PlannedChange};
use super::keys::{ChangeSubject, Field, Member, TeamKey};
use super::target::{Platform, PlatformTeam};
use super::writes::{Operation, Phases, TeamChanges, Write, WritePhase};
use crate::base::ids::ObjectId;

/// Changes on their way to being writes.
pub(super) struct Sorter<'p> {
    platform: &'p Platform,
    keys: BTreeMap<ObjectId, &'p str>,
    teams: BTreeMap<TeamKey, &'p str>,
    renamings: Vec<(Renaming, ObjectId, usize)>,
    people: BTreeMap<ObjectId, Write>,
    managers: Vec<Write>,
    made: BTreeMap<TeamKey, Write>,
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
            people: BTreeMap::new(),
            managers: Vec::new(),
            made: BTreeMap::new(),
            leavers: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, at: usize, change: &PlannedChange) {
        match change.subject {
            ChangeSubject::User(person) => self.person(at, person, change),
            ChangeSubject::Team(team) => self.team(at, team, change),
        }
    }

    fn person(&mut self, at: usize, person: ObjectId, change: &PlannedChange) {
        let subject = change.subject;
        match &change.what {
            ChangeKind::CreateUser { facts } => {
                let facts = facts.clone();
                let deed = Operation::CreateUser { facts };
                self.people.insert(
                    person,
                    Write {
                        subject,
                        deed,
                        changes: vec![at],
                    },
                );
            }
            ChangeKind::LinkUser { user } => {
                if let Some((key, _)) = self.platform.users.get_key_value(user) {
                    self.keys.insert(person, key);
                    self.set(at, person, |_, _, link| *link = true);
                }
            }
            ChangeKind::ReactivateUser => self.set(at, person, |_, active, _| *active = Some(true)),
            ChangeKind::SetField {
                field: Field::Manager,
                new,
                ..
            } => self.manage(at, person, new.as_ref(), subject),
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
                    self.renamings.push((renaming, person, at));
                }
            }
            ChangeKind::SetField { field, new, .. } => {
                let (field, new) = (*field, new.clone());
                self.set(at, person, |facts, _, _| {
                    facts.insert(field, new);
                });
            }
            ChangeKind::DeactivateUser { .. } => {
                self.leavers.extend(self.leaver(at, person, subject));
            }
            _ => {}
        }
    }

    /// Adds to what is set on somebody the platform knows.
    fn set(
        &mut self,
        at: usize,
        person: ObjectId,
        change: impl FnOnce(&mut BTreeMap<Field, Option<String>>, &mut Option<bool>, &mut bool),
    ) {
        let Some(key) = self.keys.get(&person) else {
            return;
        };
        let write = self.people.entry(person).or_insert_with(|| Write {
            subject: ChangeSubject::User(person),
            deed: set_user(key),
            changes: Vec::new(),
        });
        if let Operation::SetUser {
            facts,
            active,
            link,
            ..
        } = &mut write.deed
        {
            change(facts, active, link);
            write.changes.push(at);
        }
    }

    fn manage(
        &mut self,
        at: usize,
        person: ObjectId,
        new: Option<&String>,
        subject: ChangeSubject,
    ) {
        let deed = match (self.keys.get(&person), new) {
            (Some(key), new) => {
                let mut deed = set_user(key);
                if let Operation::SetUser { facts, .. } = &mut deed {
                    facts.insert(Field::Manager, new.cloned());
                }
                Some(deed)
            }
            (None, Some(manager)) => manager
                .parse()
                .ok()
                .map(|manager| Operation::SetManager { manager }),
            (None, None) => None,
        };
        let write = deed.map(|deed| Write {
            subject,
            deed,
            changes: vec![at],
        });
        self.managers.extend(write);
    }

    /// Everybody's accounts are deactivated, should there be several.
    fn leaver(&self, at: usize, person: ObjectId, subject: ChangeSubject) -> Vec<Write> {
        let users = self.platform.users.iter();
        let theirs = users.filter(|(_, user)| user.person == Some(person) && user.active);
        let writes = theirs.map(|(key, _)| {
            let mut deed = set_user(key);
            if let Operation::SetUser { active, .. } = &mut deed {
                *active = Some(false);
            }
            Write {
                subject,
                deed,
                changes: vec![at],
            }
        });
        writes.collect()
    }

    fn team(&mut self, at: usize, key: TeamKey, change: &PlannedChange) {
        let subject = change.subject;
        if let ChangeKind::CreateTeam {
            name,
            members,
            supervisors,
        } = &change.what
        {
            let deed = Operation::CreateTeam {
                name: name.clone(),
                members: members.clone(),
                supervisors: supervisors.clone(),
            };
            self.made.insert(
                key,
                Write {
                    subject,
                    deed,
                    changes: vec![at],
                },
            );
            return;
        }
        let Some(id) = self.teams.get(&key).copied() else {
            return;
        };
        let write = self.made.entry(key).or_insert_with(|| Write {
            subject,
            deed: Operation::SetTeam {
                team: id.to_owned(),
                set: TeamChanges::default(),
            },
            changes: Vec::new(),
        });
        let Operation::SetTeam { set, .. } = &mut write.deed else {
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
        write.changes.push(at);
    }

    pub(super) fn finish(self) -> Phases {
        let by_user: BTreeMap<String, (ObjectId, usize)> = self
            .renamings
            .iter()
            .map(|(renaming, person, at)| (renaming.user.clone(), (*person, *at)))
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
                    let (person, at) = by_user[&user];
                    let mut deed = set_user(&user);
                    if let Operation::SetUser { facts, .. } = &mut deed {
                        facts.insert(Field::Email, Some(to));
                    }
                    Write {
                        subject: ChangeSubject::User(person),
                        deed,
                        changes: vec![at],
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
            phase("people", false, self.people.into_values().collect()),
            phase("managers", false, self.managers),
            phase("teams", false, self.made.into_values().collect()),
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
