//! Lookup tables over a world, so that no request scans 200,000 users.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::world::{Person, World};

/// Positions in the world's vectors by key.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// User by Entra object id.
    pub(crate) by_object: HashMap<Uuid, usize>,
    /// User in Entra by lower-case user principal name.
    pub(crate) by_upn: HashMap<String, usize>,
    /// User by Learn365 id.
    pub(crate) by_lms: HashMap<Uuid, usize>,
    /// Learn365 user by lower-case login name.
    pub(crate) by_login: HashMap<String, usize>,
    /// Users in Entra, in world order.
    pub(crate) entra: Vec<usize>,
    /// Users in Learn365, in world order.
    pub(crate) learners: Vec<usize>,
    /// Group by object id.
    pub(crate) groups: HashMap<Uuid, usize>,
    /// Course by id.
    pub(crate) courses: HashMap<Uuid, usize>,
    /// Distinct (user, course) pairs of the enrolments, in order of appearance.
    pub(crate) enrolled: Vec<(Uuid, Uuid)>,
}

impl Index {
    /// Adds a user's Entra account, if there is one.
    pub(crate) fn learn_account(&mut self, person: &Person, at: usize) {
        if let Some(id) = person.object_id {
            self.by_object.insert(id, at);
            self.by_upn.insert(person.upn.to_lowercase(), at);
            self.entra.push(at);
        }
    }

    /// Builds every table in one pass over each vector.
    pub(crate) fn build(world: &World) -> Self {
        let mut index = Self::default();
        for (at, person) in world.people.iter().enumerate() {
            index.learn_account(person, at);
            if let Some(id) = person.lms_id {
                index.by_lms.insert(id, at);
                index
                    .by_login
                    .insert(person.login_name().to_lowercase(), at);
                index.learners.push(at);
            }
        }
        index.courses = world
            .courses
            .iter()
            .enumerate()
            .map(|(at, it)| (it.id, at))
            .collect();
        index.rebuild_groups(world);
        index.rebuild_enrolled(world);
        index
    }

    /// Updates the table after groups were added or removed.
    pub(crate) fn rebuild_groups(&mut self, world: &World) {
        self.groups = world
            .groups
            .iter()
            .enumerate()
            .map(|(at, it)| (it.id, at))
            .collect();
    }

    /// Updates the table after individual enrolments were added or removed.
    pub(crate) fn rebuild_enrolled(&mut self, world: &World) {
        let mut seen = HashSet::with_capacity(world.enrolments.len());
        let pairs = world
            .enrolments
            .iter()
            .map(|row| (row.lms_user_id, row.course_id));
        self.enrolled = pairs.filter(|pair| seen.insert(*pair)).collect();
    }

    /// Returns whether the id is a user in Entra or a live group.
    pub(crate) fn is_principal(&self, id: Uuid) -> bool {
        self.by_object.contains_key(&id) || self.groups.contains_key(&id)
    }
}
