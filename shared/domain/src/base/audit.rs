//! Audit events: who changed what, when and why (X-13, S4-038, S4-039).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::ObjectId;

/// The user or job that made a change. The object id is the identity; the name is the one used at
/// that time and may belong to another user today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// The Entra object id; `None` for a job or a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// The mail address or name.
    pub name: String,
}

impl Actor {
    /// Creates an actor that is known by name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            object: None,
            name: name.into(),
        }
    }
}

/// The action that an audit event records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Settings were saved.
    SettingsSaved,
    /// A credential was replaced; the event never contains it.
    CredentialReplaced,
    /// A profile was created.
    ProfileCreated,
    /// A profile was changed.
    ProfileUpdated,
    /// Only a profile's courses were changed.
    CoursesChanged,
    /// A profile was deleted.
    ProfileDeleted,
    /// A deleted profile or an earlier version was restored.
    ProfileRestored,
    /// A held change was approved.
    HoldApproved,
    /// A held change was discarded.
    HoldDiscarded,
    /// A list of members was downloaded.
    MembersDownloaded,
    /// A job was started manually.
    RunStarted,
    /// The tenant's plan was changed by an operator.
    EntitlementChanged,
    /// An operator entered how the tenant was installed.
    InstallationChanged,
    /// A user was sent to Microsoft's pages to establish a connection.
    ConnectionBegun,
    /// A connection was established, or its account was replaced.
    ConnectionMade,
    /// A connection attempt was refused or declined.
    ConnectionRefused,
    /// A working connection was lost.
    ConnectionLost,
    /// A connection's options were saved.
    ConnectionSaved,
    /// A connection was ended.
    ConnectionEnded,
    /// A user tried to end a connection that cannot be ended (S0-06).
    ConnectionEndRefused,
    /// A guest was invited to the directory.
    GuestInvited,
    /// A group of the directory was added to a catalog.
    GroupAdded,
    /// A course session was scheduled.
    SessionScheduled,
    /// A course session was changed.
    SessionChanged,
    /// A course session was cancelled.
    SessionCancelled,
    /// The directory sync was configured.
    SyncSaved,
    /// The directory sync was tested.
    SyncTested,
    /// The directory sync was connected, or its credentials were replaced.
    SyncConnected,
    /// The directory sync was activated.
    SyncActivated,
    /// The directory sync was deactivated.
    SyncDeactivated,
    /// The connection of the directory sync was ended.
    SyncDisconnected,
    /// Changes proposed by the directory sync were rejected or a rejection was withdrawn, or pins
    /// changed.
    SyncDecided,
    /// Changes proposed by the directory sync were approved.
    SyncApproved,
    /// An operator set the schedule of the directory sync.
    SyncScheduled,
}

/// An audit event, stored in the same transaction as the change it records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// Time of the action.
    pub at: DateTime<Utc>,
    /// The user or job that acted.
    pub by: Actor,
    /// The action.
    pub action: Action,
    /// The object of the action: a profile's id or a run's name; empty for the tenant itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The display name of the object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Details, such as the changed fields or the reason given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl AuditEvent {
    /// Creates an event without details.
    pub fn new(at: DateTime<Utc>, by: Actor, action: Action) -> Self {
        Self {
            at,
            by,
            action,
            subject: String::new(),
            title: String::new(),
            details: BTreeMap::new(),
        }
    }

    /// Sets the object of the action and its display name.
    #[must_use]
    pub fn on(mut self, subject: impl ToString, title: &str) -> Self {
        self.subject = subject.to_string();
        title.clone_into(&mut self.title);
        self
    }

    /// Adds a detail; an empty value is omitted.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.details.insert(name.to_owned(), value);
        }
        self
    }
}

/// Returns the names of the top-level fields in which two documents differ, sorted. Values are left
/// out because they may be long or personal.
pub fn changed_fields<T: Serialize>(before: &T, after: &T) -> Vec<String> {
    let object = |value: &T| match serde_json::to_value(value) {
        Ok(serde_json::Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (object(before), object(after));
    let mut names: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| before.get(name) != after.get(name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// Proves X-13: an event names the changed fields but not their values.
    #[test]
    fn a_change_is_reported_by_its_fields() {
        let before = testing::profile("Field staff");
        let mut after = before.clone();
        after.title = "Everybody".to_owned();
        after.enroll = !before.enroll;
        assert_eq!(changed_fields(&before, &after), ["enroll", "title"]);
        assert!(changed_fields(&before, &before).is_empty());
    }

    #[test]
    fn an_event_reads_as_stored() {
        let event = AuditEvent::new(
            testing::slot(),
            Actor::named("ada@contoso.example"),
            Action::HoldApproved,
        )
        .on(testing::profile_id("P"), "P")
        .with("why", "a new office")
        .with("nothing", "");
        let text = serde_json::to_string(&event).expect("event not serialized");
        assert!(!text.contains("nothing"), "{text}");
        assert_eq!(
            serde_json::from_str::<AuditEvent>(&text).expect("event not deserialized"),
            event
        );
    }
}
