//! Our copy of the platform during a run: the data as read, plus the writes since.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{ChangeSubject, Field, Member};
use super::target::{Facts, Platform, PlatformTeam, PlatformUser};
use super::write_plan::{Operation, TeamChanges, Write};
use crate::base::ids::ObjectId;

/// Our copy of the platform during a run, with an index by directory id.
#[derive(Debug, Clone)]
pub struct TargetReplica {
    platform: Platform,
    keys: BTreeMap<ObjectId, String>,
}

impl TargetReplica {
    /// Creates the replica from the platform as read.
    pub fn new(platform: Platform) -> Self {
        let users = platform.users.iter();
        let keys = users
            .filter_map(|(key, user)| Some((user.person?, key.clone())))
            .collect();
        Self { platform, keys }
    }

    /// Returns the platform's id of a directory user.
    pub fn key(&self, person: ObjectId) -> Option<&str> {
        self.keys.get(&person).map(String::as_str)
    }

    /// Returns the platform's id of a member.
    pub fn member(&self, member: &Member) -> Option<String> {
        match member {
            Member::Person(person) => self.key(*person).map(str::to_owned),
            Member::Local(key) => Some(key.clone()),
        }
    }

    /// Returns the current copy of the platform.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Returns the copy of the platform at the end of a run.
    pub fn into_platform(self) -> Platform {
        self.platform
    }

    /// Records a successful write; `created` is the platform's id of the created resource.
    pub fn record_write(&mut self, write: &Write, created: Option<&str>) {
        match (&write.operation, write.subject) {
            (Operation::CreateUser { facts }, ChangeSubject::User(person)) => {
                self.created(person, facts, created);
            }
            (
                Operation::SetUser {
                    user,
                    facts,
                    active,
                    link,
                },
                ChangeSubject::User(person),
            ) => {
                if *link {
                    self.keys.insert(person, user.clone());
                }
                let manager = self.manager_key(facts.get(&Field::Manager));
                if let Some(known) = self.platform.users.get_mut(user) {
                    known.person = if *link { Some(person) } else { known.person };
                    known.active = active.unwrap_or(known.active);
                    set_facts(known, facts, manager);
                }
            }
            (Operation::SetManager { manager }, ChangeSubject::User(person)) => {
                let manager = self.key(*manager).map(str::to_owned);
                let key = self.keys.get(&person).cloned().unwrap_or_default();
                if let (Some(manager), Some(known)) = (manager, self.platform.users.get_mut(&key)) {
                    known.facts.insert(Field::Manager, manager);
                }
            }
            (
                Operation::CreateTeam {
                    name,
                    members,
                    supervisors,
                },
                ChangeSubject::Team(team),
            ) => {
                let ids = |people: &BTreeSet<ObjectId>| {
                    people
                        .iter()
                        .filter_map(|person| self.keys.get(person).cloned())
                        .collect()
                };
                let made = PlatformTeam {
                    team: Some(team),
                    name: name.clone(),
                    members: ids(members),
                    supervisors: ids(supervisors),
                    archived: false,
                };
                if let Some(key) = created {
                    self.platform.teams.insert(key.to_owned(), made);
                }
            }
            (Operation::SetTeam { team, set }, _) => self.changed(team, set),
            _ => {}
        }
    }

    fn created(&mut self, person: ObjectId, facts: &Facts, created: Option<&str>) {
        let Some(key) = created else { return };
        let email = facts.get(&Field::Email).cloned().unwrap_or_default();
        let user = PlatformUser {
            person: Some(person),
            foreign: false,
            user_name: email,
            active: true,
            facts: facts.clone(),
        };
        self.platform.users.insert(key.to_owned(), user);
        self.keys.insert(person, key.to_owned());
    }

    fn manager_key(&self, set: Option<&Option<String>>) -> Option<String> {
        let person = set?.as_ref()?.parse().ok()?;
        self.key(person).map(str::to_owned)
    }

    fn changed(&mut self, team: &str, set: &TeamChanges) {
        let ids = |members: &BTreeSet<Member>| -> Vec<String> {
            members
                .iter()
                .filter_map(|member| self.member(member))
                .collect()
        };
        let (add, remove) = (ids(&set.add), ids(&set.remove));
        let (join, part) = (ids(&set.add_supervisors), ids(&set.remove_supervisors));
        let Some(known) = self.platform.teams.get_mut(team) else {
            return;
        };
        if let Some(name) = &set.name {
            known.name.clone_from(name);
        }
        known.archived = set.archived.unwrap_or(known.archived);
        for (ids, add, remove) in [
            (&mut known.members, add, remove),
            (&mut known.supervisors, join, part),
        ] {
            ids.extend(add);
            for id in remove {
                ids.remove(&id);
            }
        }
    }
}

fn set_facts(
    known: &mut PlatformUser,
    facts: &BTreeMap<Field, Option<String>>,
    manager: Option<String>,
) {
    for (field, value) in facts {
        let value = if *field == Field::Manager {
            manager.clone()
        } else {
            value.clone()
        };
        if let (Field::Email, Some(email)) = (field, &value) {
            known.user_name.clone_from(email);
        }
        match value {
            Some(value) => _ = known.facts.insert(*field, value),
            None => _ = known.facts.remove(field),
        }
    }
}
