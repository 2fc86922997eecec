//! What was read of the directory: people with their managers, groups with their members, and who is gone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::ids::ObjectId;

/// A person as the directory has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryPerson {
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The name people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name to sign in with; to name people without an address in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_name: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Whether it is a guest: `userType` says so; none counts as a member.
    #[serde(default)]
    pub guest: bool,
    /// Whether it may sign in.
    pub enabled: bool,
    /// The manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<ObjectId>,
}

impl DirectoryPerson {
    /// The name shown in lists: display name, address or sign-in name.
    pub fn label(&self) -> String {
        let names = [&self.display_name, &self.email, &self.sign_in_name];
        let mut known = names.into_iter().flatten().map(|name| name.trim());
        let first = known.find(|name| !name.is_empty());
        first.unwrap_or("somebody without a name").to_owned()
    }
}

/// A group as the directory has it, with its direct members who are people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryGroup {
    /// Its name.
    pub name: String,
    /// Who is in it. Groups and devices in it are left out.
    #[serde(default)]
    pub members: BTreeSet<ObjectId>,
}

/// What is told of a value: nothing at all, or what it is, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Reported {
    /// It is not mentioned, and stays.
    #[default]
    Nothing,
    /// It is this.
    Is(Option<String>),
}

impl From<Option<String>> for Reported {
    fn from(value: Option<String>) -> Self {
        Self::Is(value)
    }
}

/// What is told of a person: the whole, or only what is different.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonChange {
    /// First name.
    pub first_name: Reported,
    /// Last name.
    pub last_name: Reported,
    /// The name people read.
    pub display_name: Reported,
    /// Mail address.
    pub email: Reported,
    /// The name to sign in with.
    pub sign_in_name: Reported,
    /// Job title.
    pub job_title: Reported,
    /// Department.
    pub department: Reported,
    /// Whether it is a guest.
    pub guest: Option<bool>,
    /// Whether it may sign in.
    pub enabled: Option<bool>,
    /// Managers who no longer are.
    pub not_managers: Vec<ObjectId>,
    /// The manager from now on.
    pub manager: Option<ObjectId>,
}

/// What is told of a group: the whole, or only what is different.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// Who is in it.
    pub joined: Vec<ObjectId>,
    /// Who no longer is.
    pub left: Vec<ObjectId>,
}

/// Why somebody who was in the directory no longer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// Deleted.
    Deleted,
    /// Neither there nor among the deleted ones: looked at twice before anybody leaves.
    Vanished,
}

/// Everything that was read. Complete, or it was an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceDirectory {
    /// People, by object id.
    pub people: BTreeMap<ObjectId, DirectoryPerson>,
    /// Groups, by object id; none where nothing needs them.
    pub groups: BTreeMap<ObjectId, DirectoryGroup>,
    /// People who were there once.
    #[serde(default)]
    pub gone: BTreeMap<ObjectId, Gone>,
}

impl SourceDirectory {
    /// Takes somebody in who is there.
    pub fn put(&mut self, id: ObjectId, person: DirectoryPerson) {
        self.gone.remove(&id);
        self.people.insert(id, person);
    }

    /// Takes in what is told of somebody; told twice, it makes no difference.
    pub fn change_person(&mut self, id: ObjectId, change: PersonChange) {
        self.gone.remove(&id);
        let known = self.people.entry(id).or_insert_with(|| DirectoryPerson {
            enabled: true,
            ..DirectoryPerson::default()
        });
        for (value, told) in [
            (&mut known.first_name, change.first_name),
            (&mut known.last_name, change.last_name),
            (&mut known.display_name, change.display_name),
            (&mut known.email, change.email),
            (&mut known.sign_in_name, change.sign_in_name),
            (&mut known.job_title, change.job_title),
            (&mut known.department, change.department),
        ] {
            if let Reported::Is(told) = told {
                *value = told;
            }
        }
        known.guest = change.guest.unwrap_or(known.guest);
        known.enabled = change.enabled.unwrap_or(known.enabled);
        if known
            .manager
            .is_some_and(|manager| change.not_managers.contains(&manager))
        {
            known.manager = None;
        }
        known.manager = change.manager.or(known.manager);
    }

    /// Takes in what is told of a group: large ones come in slices, which add up.
    pub fn change_group(&mut self, id: ObjectId, change: GroupChange) {
        let known = self.groups.entry(id).or_default();
        if let Some(name) = change.name {
            known.name = name;
        }
        known.members.extend(change.joined);
        for person in change.left {
            known.members.remove(&person);
        }
    }

    /// Notes that somebody was deleted.
    pub fn delete(&mut self, id: ObjectId) {
        self.people.remove(&id);
        self.gone.insert(id, Gone::Deleted);
    }

    /// Carries over who is gone, after everything was read anew: whoever `before`
    /// knew and nobody knows now is deleted if `deleted` says so, or has vanished.
    pub fn remember(&mut self, before: &Self, deleted: &BTreeSet<ObjectId>) {
        let known = before.gone.keys().chain(before.people.keys());
        let missing = known.filter(|id| !self.people.contains_key(id));
        let gone = missing.map(|id| {
            let was_deleted = deleted.contains(id) || before.gone.get(id) == Some(&Gone::Deleted);
            let how = if was_deleted {
                Gone::Deleted
            } else {
                Gone::Vanished
            };
            (*id, how)
        });
        let mut gone: BTreeMap<_, _> = gone.collect();
        for id in deleted {
            if !self.people.contains_key(id) {
                gone.insert(*id, Gone::Deleted);
            }
        }
        self.gone = gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::testing::person_id as id;

    /// What the directory tells twice, or in slices, or leaves out, is taken right.
    #[test]
    fn what_is_told_is_taken_in() {
        let mut directory = SourceDirectory::default();
        let whole = PersonChange {
            first_name: Reported::Is(Some("Kay".to_owned())),
            job_title: Reported::Is(Some("Lead".to_owned())),
            enabled: Some(true),
            manager: Some(id(2)),
            ..PersonChange::default()
        };
        for _ in 0..2 {
            directory.change_person(id(1), whole.clone());
        }
        let other = PersonChange {
            job_title: Reported::Is(None),
            not_managers: vec![id(2)],
            manager: Some(id(3)),
            ..PersonChange::default()
        };
        for _ in 0..2 {
            directory.change_person(id(1), other.clone());
        }
        let kay = &directory.people[&id(1)];
        assert_eq!(
            (kay.first_name.as_deref(), kay.job_title.as_deref()),
            (Some("Kay"), None)
        );
        assert_eq!((kay.manager, kay.enabled), (Some(id(3)), true));
        let former = PersonChange {
            not_managers: vec![id(2)],
            ..PersonChange::default()
        };
        directory.change_person(id(1), former);
        assert_eq!(directory.people[&id(1)].manager, Some(id(3)));
        let slice = |joined: &[u32], left: &[u32]| GroupChange {
            name: None,
            joined: joined.iter().copied().map(id).collect(),
            left: left.iter().copied().map(id).collect(),
        };
        directory.change_group(
            id(9),
            GroupChange {
                name: Some("Sales".to_owned()),
                ..slice(&[1, 2], &[])
            },
        );
        directory.change_group(id(9), slice(&[3], &[1]));
        let sales = &directory.groups[&id(9)];
        assert_eq!(
            (sales.name.as_str(), sales.members.clone()),
            ("Sales", BTreeSet::from([id(2), id(3)]))
        );
    }

    /// Proves C-35: deleted, vanished and returned people are told apart.
    #[test]
    fn who_is_gone_is_remembered() {
        let person = DirectoryPerson::default;
        let mut before = SourceDirectory::default();
        for number in 1..=4 {
            before.put(id(number), person());
        }
        before.delete(id(4));
        let mut now = SourceDirectory::default();
        now.put(id(1), person());
        now.remember(&before, &BTreeSet::from([id(2), id(9)]));
        assert_eq!(
            now.gone,
            BTreeMap::from([
                (id(2), Gone::Deleted),
                (id(3), Gone::Vanished),
                (id(4), Gone::Deleted),
                (id(9), Gone::Deleted),
            ])
        );
        now.put(id(4), person());
        assert_eq!(now.gone.get(&id(4)), None, "restored in the directory");
    }
}
