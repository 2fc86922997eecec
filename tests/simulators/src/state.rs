//! The whole serialisable state of one tenant, for tests to read and edit.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::outlook::{CalendarEvent, CancelledEvent, SentMail};
use crate::scim::ScimState;
use crate::service_app::{Consent, RefreshToken};
use crate::world::{EntraGroup, Person, World};

/// The state of a tenant; returned by [`crate::Simulators::dump`] and accepted by `restore`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantState {
    /// Users, courses, groups and behaviour; changed in place by writes.
    pub world: World,
    /// Creation times of groups created through Graph (seeded groups are old and not listed).
    #[serde(default)]
    pub group_created_at: BTreeMap<Uuid, DateTime<Utc>>,
    /// Soft-deleted groups, restorable for 30 days.
    #[serde(default)]
    pub deleted_groups: Vec<DeletedGroup>,
    /// Soft-deleted users, restorable for 30 days.
    #[serde(default)]
    pub deleted_users: Vec<DeletedUser>,
    /// Profile photos by their owners' object ids; an empty one is replaced by a built-in image.
    #[serde(default)]
    pub photos: BTreeMap<Uuid, Vec<u8>>,
    /// Preferred languages by object id, e.g. `de-DE`.
    #[serde(default)]
    pub languages: BTreeMap<Uuid, String>,
    /// Groups in Learn365, as rows of its `Users` set.
    #[serde(default)]
    pub lms_groups: Vec<LmsGroup>,
    /// Members of the catalogs' user lists.
    #[serde(default)]
    pub catalog_users: Vec<CatalogUser>,
    /// Groups enrolled in courses.
    #[serde(default)]
    pub group_enrolments: Vec<GroupEnrolment>,
    /// A member was "removed" without `/$ref`, which deleted the user. Must never become true.
    #[serde(default)]
    pub user_deleted_by_mistake: bool,
    /// Consents of the organisation and its users to applications of service providers.
    #[serde(default)]
    pub consents: Vec<Consent>,
    /// Times before which issued refresh tokens are invalid, by user.
    #[serde(default)]
    pub revoked_before: BTreeMap<Uuid, DateTime<Utc>>,
    /// Every refresh token issued, by the id in the token.
    #[serde(default)]
    pub refresh_tokens: BTreeMap<Uuid, RefreshToken>,
    /// Successful uses of refresh tokens.
    #[serde(default)]
    pub refreshes: u64,
    /// Uses of a refresh token that was already replaced, under strict rotation.
    #[serde(default)]
    pub refresh_reuses: u64,
    /// Mail sent through Graph, oldest first.
    #[serde(default)]
    pub mails: Vec<SentMail>,
    /// Events in all calendars.
    #[serde(default)]
    pub events: Vec<CalendarEvent>,
    /// Events that were deleted or cancelled, oldest first.
    #[serde(default)]
    pub cancelled_events: Vec<CancelledEvent>,
    /// The SCIM service provider.
    #[serde(default)]
    pub scim: ScimState,
}

impl From<World> for TenantState {
    fn from(world: World) -> Self {
        Self {
            world,
            ..Self::default()
        }
    }
}

impl TenantState {
    /// Returns the live group with this `uniqueName`.
    pub fn group_by_unique_name(&self, unique_name: &str) -> Option<&EntraGroup> {
        let mut groups = self.world.groups.iter();
        groups.find(|group| group.unique_name.as_deref() == Some(unique_name))
    }

    /// Returns whether the Entra group is enrolled in the course.
    pub fn is_group_enrolled(&self, object_id: Uuid, course_id: Uuid) -> bool {
        let Some(group) = self
            .lms_groups
            .iter()
            .find(|row| row.object_id == object_id)
        else {
            return false;
        };
        let mut rows = self.group_enrolments.iter();
        rows.any(|row| row.lms_group_id == group.id && row.course_id == course_id)
    }

    /// Returns the bearer token of the SCIM service provider: the configured one, or one derived
    /// from the tenant's id.
    pub fn scim_token(&self) -> String {
        let own = self.scim.token.clone();
        own.unwrap_or_else(|| format!("simulated-scim-{}", self.world.tenant.id))
    }

    /// Soft-deletes a user in Entra: the account and its memberships are removed, a Learn365 user
    /// remains. Returns whether the user existed.
    pub fn delete_user(&mut self, object_id: Uuid) -> bool {
        let mut people = self.world.people.iter();
        let Some(at) = people.position(|it| it.object_id == Some(object_id)) else {
            return false;
        };
        let person = if self.world.people[at].lms_id.is_some() {
            let person = &mut self.world.people[at];
            let whole = person.clone();
            person.object_id = None;
            whole
        } else {
            self.world.people.remove(at)
        };
        let groups = self.world.groups.iter_mut();
        let left = groups.filter_map(|it| it.members.remove(&object_id).then_some(it.id));
        let groups = left.collect();
        let deleted_at = self.world.behaviour.now();
        self.deleted_users.push(DeletedUser {
            person,
            groups,
            deleted_at,
        });
        true
    }

    /// Restores a soft-deleted user, with the memberships of groups that still exist. Returns
    /// whether the user existed.
    pub fn restore_user(&mut self, object_id: Uuid) -> bool {
        let mut deleted = self.deleted_users.iter();
        let Some(at) = deleted.position(|it| it.person.object_id == Some(object_id)) else {
            return false;
        };
        let DeletedUser { person, groups, .. } = self.deleted_users.remove(at);
        let mut people = self.world.people.iter_mut();
        let learner = people
            .find(|it| it.object_id.is_none() && it.lms_id.is_some() && it.lms_id == person.lms_id);
        match learner {
            Some(learner) => *learner = person,
            None => self.world.people.push(person),
        }
        for group in &mut self.world.groups {
            if groups.contains(&group.id) {
                group.members.insert(object_id);
            }
        }
        true
    }
}

/// A soft-deleted Entra group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedGroup {
    /// The group before its deletion, including members.
    pub group: EntraGroup,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
}

/// A soft-deleted user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedUser {
    /// The user before its deletion.
    pub person: Person,
    /// Object ids of the groups it was a member of.
    #[serde(default)]
    pub groups: BTreeSet<Uuid>,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
}

/// A group in Learn365.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsGroup {
    /// Learn365 id of the row.
    pub id: Uuid,
    /// Entra object id.
    pub object_id: Uuid,
    /// Claims login name.
    pub login_name: String,
    /// Display name when it was added.
    pub title: String,
    /// When the row becomes visible (202 means "later").
    pub visible_at: DateTime<Utc>,
}

/// A user or group in a catalog's user list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogUser {
    /// Catalog.
    pub catalog_id: Uuid,
    /// Learn365 id of the user or group row.
    pub lms_user_id: Uuid,
    /// When it takes effect.
    pub visible_at: DateTime<Utc>,
}

/// A group's enrolment in a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEnrolment {
    /// Row id.
    pub id: Uuid,
    /// Course.
    pub course_id: Uuid,
    /// Learn365 id of the group row.
    pub lms_group_id: Uuid,
    /// When it was enrolled.
    pub registered_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_written_before_there_were_mailboxes_can_be_read() {
        let state: TenantState = serde_json::from_value(serde_json::json!({"world": {"tenant": {
            "id": Uuid::nil(), "name": "", "domain": "", "region": "",
        }}}))
        .expect("a state");
        assert_eq!(state, TenantState::from(World::default()));
    }
}
