//! What was read of the directory: people with their managers, groups with their members, and who is gone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::ObjectId;

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
    /// What to call them in a list.
    pub fn called(&self) -> String {
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
pub struct Directory {
    /// People, by object id.
    pub people: BTreeMap<ObjectId, DirectoryPerson>,
    /// Groups, by object id; none where nothing needs them.
    pub groups: BTreeMap<ObjectId, DirectoryGroup>,
    /// People who were there once.
    #[serde(default)]
    pub gone: BTreeMap<ObjectId, Gone>,
}

impl Directory {
    /// Takes somebody in who is there.
    pub fn put(&mut self, id: ObjectId, person: DirectoryPerson) {
        self.gone.remove(&id);
        self.people.insert(id, person);
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
    use crate::directory::testing::person_id as id;

    /// Proves C-35: deleted, vanished and returned people are told apart.
    #[test]
    fn who_is_gone_is_remembered() {
        let person = DirectoryPerson::default;
        let mut before = Directory::default();
        for number in 1..=4 {
            before.put(id(number), person());
        }
        before.delete(id(4));
        let mut now = Directory::default();
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
