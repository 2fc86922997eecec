//! Role assignments as their pages arrive; in the end only those of groups are stored.

use super::limits::TooLarge;
use super::numbers::Numbers;
use crate::base::ids::UserId;
use crate::snapshot::lms::{Role, RoleRow, RoleScope};

/// Roles of users and groups. Which holders are groups is known only when both this set and the
/// user list are complete, so all roles are collected until then: four bytes each, in one list per
/// role and place.
#[derive(Debug, Clone, Default)]
pub struct RoleSet {
    users: Numbers<UserId>,
    /// True for holders that a role marks as a group.
    groups: Vec<bool>,
    names: Vec<String>,
    places: Numbers<(u32, RoleScope)>,
    /// The holders of each role and place.
    holders: Vec<Vec<u32>>,
}

/// The maximum number of distinct role names; the platform has about ten.
const MAX_NAMES: usize = 1_000;

impl RoleSet {
    /// Adds one role.
    ///
    /// # Errors
    /// Returns an error beyond four billion holders or a thousand names.
    pub fn push(&mut self, role: &Role<'_>) -> Result<(), TooLarge> {
        let user = self.users.number(role.user, u32::MAX);
        let name = self.name(&role.role);
        let place = name.and_then(|name| self.places.number((name, role.scope), u32::MAX));
        let (Some(user), Some(place)) = (user, place) else {
            return Err(TooLarge::Roles);
        };
        if user as usize == self.groups.len() {
            self.groups.push(false);
        }
        self.groups[user as usize] |= role.is_group;
        if place as usize == self.holders.len() {
            self.holders.push(Vec::new());
        }
        self.holders[place as usize].push(user);
        Ok(())
    }

    /// Returns the number of roles.
    pub fn len(&self) -> u64 {
        self.holders
            .iter()
            .map(|holders| holders.len() as u64)
            .sum()
    }

    /// Returns true if there are no roles.
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }

    fn name(&mut self, name: &str) -> Option<u32> {
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or(self.names.len());
        if known.is_none() {
            if place == MAX_NAMES {
                return None;
            }
            self.names.push(name.to_owned());
        }
        u32::try_from(place).ok()
    }

    /// Returns true if a role marks this user as a group.
    pub(super) fn calls_group(&self, user: UserId) -> bool {
        self.users
            .find(user)
            .and_then(|user| self.groups.get(user as usize))
            .is_some_and(|is_group| *is_group)
    }

    /// Returns the roles of groups: of holders that a role marks as a group, and of those for which
    /// `is_group` returns true. Ordered by holder, place and name.
    pub(super) fn into_group_roles(self, is_group: impl Fn(UserId) -> bool) -> Vec<RoleRow> {
        let users = self.users.ids();
        let called = self.groups.iter().zip(users);
        let groups: Vec<bool> = called
            .map(|(called, user)| *called || is_group(*user))
            .collect();
        let mut found = Vec::new();
        for ((name, scope), holders) in self.places.ids().iter().zip(&self.holders) {
            let holders = holders.iter().map(|user| *user as usize);
            found.extend(holders.filter(|user| groups[*user]).map(|user| RoleRow {
                user: users[user],
                is_group: true,
                role: self.names[*name as usize].clone(),
                scope: *scope,
            }));
        }
        found.sort_by(|a, b| (a.user, a.scope, &a.role).cmp(&(b.user, b.scope, &b.role)));
        found
    }
}
