//! The whole serialisable state of one tenant, as tests read and edit it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::outlook::{CalendarEvent, CancelledEvent, SentMail};
use crate::scim::ScimState;
use crate::service_app::{Consent, RefreshToken};
use crate::world::{EntraGroup, Person, World};

/// A tenant at one moment; what [`crate::Simulators::dump`] gives and `restore` takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantState {
    /// People, courses, groups and behaviour; changed in place by writes.
    pub world: World,
    /// When groups made through Graph were created (seeded groups are old and not listed).
    #[serde(default)]
    pub group_created_at: BTreeMap<Uuid, DateTime<Utc>>,
    /// Soft-deleted groups, restorable for 30 days.
    #[serde(default)]
    pub deleted_groups: Vec<DeletedGroup>,
    /// Soft-deleted people, restorable for 30 days.
    #[serde(default)]
    pub deleted_users: Vec<DeletedUser>,
    /// Profile photos by their owners' object ids; an empty one stands for a tiny built-in picture.
    #[serde(default)]
    pub photos: BTreeMap<Uuid, Vec<u8>>,
    /// Preferred languages by object id, e.g. `de-DE`.
    #[serde(default)]
    pub languages: BTreeMap<Uuid, String>,
    /// Groups Learn365 knows, as rows of its `Users` set.
    #[serde(default)]
    pub lms_groups: Vec<LmsGroup>,
    /// Who was put into which catalog's user list.
    #[serde(default)]
    pub catalog_users: Vec<CatalogUser>,
    /// Groups enrolled in courses.
    #[serde(default)]
    pub group_enrolments: Vec<GroupEnrolment>,
    /// A member was "removed" without `/$ref`, which deleted the person. Must never become true.
    #[serde(default)]
    pub user_deleted_by_mistake: bool,
    /// What the organisation and its people allowed applications of service providers.
    #[serde(default)]
    pub consents: Vec<Consent>,
    /// Refresh tokens issued before this moment count no more, by person.
    #[serde(default)]
    pub revoked_before: BTreeMap<Uuid, DateTime<Utc>>,
    /// Every refresh token issued, by the id inside it.
    #[serde(default)]
    pub refresh_tokens: BTreeMap<Uuid, RefreshToken>,
    /// Successful uses of refresh tokens.
    #[serde(default)]
    pub refreshes: u64,
    /// Uses of a refresh token whose successor was issued already, under strict rotation.
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
    /// The live group with this `uniqueName`.
    pub fn group_by_unique_name(&self, unique_name: &str) -> Option<&EntraGroup> {
        let mut groups = self.world.groups.iter();
        groups.find(|group| group.unique_name.as_deref() == Some(unique_name))
    }

    /// Whether the Entra group is enrolled in the course.
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

    /// The bearer token of the SCIM service provider: the one that was set, or one made from the
    /// tenant's id.
    pub fn scim_token(&self) -> String {
        let own = self.scim.token.clone();
        own.unwrap_or_else(|| format!("simulated-scim-{}", self.world.tenant.id))
    }

    /// Soft-deletes a person in Entra: the account and its memberships go, a Learn365 user stays.
    /// Says whether there was such a person.
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

    /// Brings a soft-deleted person back, with the memberships of groups that are still there.
    /// Says whether there was such a person.
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
    /// The group as it was, members included.
    pub group: EntraGroup,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
}

/// A soft-deleted person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedUser {
    /// The person as it was.
    pub person: Person,
    /// Object ids of the groups it was a member of.
    #[serde(default)]
    pub groups: BTreeSet<Uuid>,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
}

/// A group as Learn365 sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsGroup {
    /// Learn365 id of the row.
    pub id: Uuid,
    /// Entra object id.
    pub object_id: Uuid,
    /// Claims login name.
    pub login_name: String,
    /// Display name at the time it was added.
    pub title: String,
    /// From when the row shows up (202 means "later").
    pub visible_at: DateTime<Utc>,
}

/// A person or group in a catalog's user list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogUser {
    /// Catalog.
    pub catalog_id: Uuid,
    /// Learn365 id of the person or group row.
    pub lms_user_id: Uuid,
    /// From when it counts.
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
