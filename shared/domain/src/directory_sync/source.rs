//! The source: users with their managers and groups with their members, as read from the directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::ids::ObjectId;

/// A directory user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryPerson {
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Sign-in name; shown in lists if there is no display name and no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_name: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// True if `userType` is guest; without a `userType` the user is a member.
    #[serde(default)]
    pub guest: bool,
    /// True if the user may sign in.
    pub enabled: bool,
    /// Object id of the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<ObjectId>,
}

impl DirectoryPerson {
    /// Returns the name for lists: the display name, the address or the sign-in name.
    pub fn label(&self) -> String {
        let names = [&self.display_name, &self.email, &self.sign_in_name];
        let mut known = names.into_iter().flatten().map(|name| name.trim());
        let first = known.find(|name| !name.is_empty());
        first.unwrap_or("user without a name").to_owned()
    }
}

/// A group of the directory with its direct members that are users.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryGroup {
    /// Name of the group.
    pub name: String,
    /// Members that are users; groups and devices are left out.
    #[serde(default)]
    pub members: BTreeSet<ObjectId>,
}

/// A reported value: not mentioned, or set to a value that may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Reported {
    /// Not mentioned: the known value is unchanged.
    #[default]
    Nothing,
    /// The new value; `None` clears it.
    Is(Option<String>),
}

impl From<Option<String>> for Reported {
    fn from(value: Option<String>) -> Self {
        Self::Is(value)
    }
}

/// A reported change of a user: all fields, or only the changed ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonChange {
    /// First name.
    pub first_name: Reported,
    /// Last name.
    pub last_name: Reported,
    /// Display name.
    pub display_name: Reported,
    /// E-mail address.
    pub email: Reported,
    /// Sign-in name.
    pub sign_in_name: Reported,
    /// Job title.
    pub job_title: Reported,
    /// Department.
    pub department: Reported,
    /// True if the user is a guest; `None` if not reported.
    pub guest: Option<bool>,
    /// True if the user may sign in; `None` if not reported.
    pub enabled: Option<bool>,
    /// Object ids of former managers.
    pub not_managers: Vec<ObjectId>,
    /// Object id of the new manager.
    pub manager: Option<ObjectId>,
}

/// A reported change of a group: everything, or only the differences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChange {
    /// The new name.
    pub name: Option<String>,
    /// Members who joined.
    pub joined: Vec<ObjectId>,
    /// Members who left.
    pub left: Vec<ObjectId>,
}

/// Why a user is no longer in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// The user was deleted.
    Deleted,
    /// Neither in the directory nor among the deleted users; checked again before a deactivation.
    Vanished,
}

/// The directory as read. It is always complete; a partial read is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceDirectory {
    /// Users, by object id.
    pub people: BTreeMap<ObjectId, DirectoryPerson>,
    /// Groups, by object id; empty if groups are not needed.
    pub groups: BTreeMap<ObjectId, DirectoryGroup>,
    /// Users who were in the directory earlier.
    #[serde(default)]
    pub gone: BTreeMap<ObjectId, Gone>,
}

impl SourceDirectory {
    /// Adds or replaces a user.
    pub fn put(&mut self, id: ObjectId, person: DirectoryPerson) {
        self.gone.remove(&id);
        self.people.insert(id, person);
    }

    /// Applies a reported change of a user; applying it twice has no further effect.
    pub fn change_person(&mut self, id: ObjectId, change: PersonChange) {
        self.gone.remove(&id);
        let known = self.people.entry(id).or_insert_with(|| DirectoryPerson {
            enabled: true,
            ..DirectoryPerson::default()
        });
        for (value, reported) in [
            (&mut known.first_name, change.first_name),
            (&mut known.last_name, change.last_name),
            (&mut known.display_name, change.display_name),
            (&mut known.email, change.email),
            (&mut known.sign_in_name, change.sign_in_name),
            (&mut known.job_title, change.job_title),
            (&mut known.department, change.department),
        ] {
            if let Reported::Is(reported) = reported {
                *value = reported;
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

    /// Applies a reported change of a group; large groups are reported in several parts.
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

    /// Records that a user was deleted.
    pub fn delete(&mut self, id: ObjectId) {
        self.people.remove(&id);
        self.gone.insert(id, Gone::Deleted);
    }

    /// Updates the list of gone users after a full read. A user of `before` who is missing now is
    /// deleted if `deleted` contains the id, and has vanished otherwise.
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

    /// Repeated, partial and sliced reports are applied correctly.
    #[test]
    fn what_is_reported_is_applied() {
        let mut directory = SourceDirectory::default();
        let all_fields = PersonChange {
            first_name: Reported::Is(Some("Kay".to_owned())),
            job_title: Reported::Is(Some("Lead".to_owned())),
            enabled: Some(true),
            manager: Some(id(2)),
            ..PersonChange::default()
        };
        for _ in 0..2 {
            directory.change_person(id(1), all_fields.clone());
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

    /// Proves C-35: deleted, vanished and returned users are distinguished.
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
        assert_eq!(
            now.gone.get(&id(4)),
            None,
            "a restored user is still recorded as gone"
        );
    }
}
