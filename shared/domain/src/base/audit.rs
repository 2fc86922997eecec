//! What people changed: who, when, what, and why (X-13, S4-038, S4-039).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::ObjectId;

/// A person who acts. The object id is the identity; the name is what people
/// called them at that time and may be somebody else's today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// The Entra object id; none for a job or a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// The mail address or name.
    pub name: String,
}

impl Actor {
    /// Somebody known by name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            object: None,
            name: name.into(),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Settings were saved.
    SettingsSaved,
    /// A credential was replaced; the event never holds it.
    CredentialReplaced,
    /// A profile was made.
    ProfileCreated,
    /// A profile was changed.
    ProfileUpdated,
    /// Only a profile's courses were changed.
    CoursesChanged,
    /// A profile was deleted.
    ProfileDeleted,
    /// A deleted profile, or an earlier version, was brought back.
    ProfileRestored,
    /// A held change was approved.
    HoldApproved,
    /// A held change was discarded.
    HoldDiscarded,
    /// A list of members was downloaded.
    MembersDownloaded,
    /// A job was started by hand.
    RunStarted,
    /// The tenant's plan was changed by an operator.
    EntitlementChanged,
    /// How the tenant was installed was entered by an operator.
    InstallationChanged,
    /// Somebody was sent to Microsoft's pages to connect something.
    ConnectionBegun,
    /// A connection was made, or its account replaced.
    ConnectionMade,
    /// A connection was refused or declined on the way.
    ConnectionRefused,
    /// A connection that worked was lost.
    ConnectionLost,
    /// A connection's options were saved.
    ConnectionSaved,
    /// A connection was ended.
    ConnectionEnded,
    /// Somebody tried to end a connection that cannot be ended (S0-06).
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
    /// It was tested.
    SyncTested,
    /// It was connected, or its credentials were replaced.
    SyncConnected,
    /// It was activated.
    SyncActivated,
    /// It was deactivated.
    SyncDeactivated,
    /// Its connection was ended.
    SyncDisconnected,
    /// Changes it proposed were rejected, or no longer.
    SyncDecided,
    /// What it proposed was approved.
    SyncApproved,
    /// An operator set its times.
    SyncScheduled,
}

/// One event; it is stored in the transaction of the change it tells about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: Actor,
    /// What.
    pub action: Action,
    /// On what: a profile's id, a run's name; empty for the tenant itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Particulars, such as which fields changed or the reason given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl AuditEvent {
    /// An event without particulars.
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

    /// On what it was done, and what people call that.
    #[must_use]
    pub fn on(mut self, subject: impl ToString, title: &str) -> Self {
        self.subject = subject.to_string();
        title.clone_into(&mut self.title);
        self
    }

    /// One particular; an empty one is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.details.insert(name.to_owned(), value);
        }
        self
    }
}

/// Top-level fields in which two documents differ, sorted: what a change
/// touched, without the values, which may be long or personal.
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

    /// Proves X-13: an event says which fields changed and nothing of their values.
    #[test]
    fn a_change_is_told_by_its_fields() {
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
        let text = serde_json::to_string(&event).expect("writes");
        assert!(!text.contains("nothing"), "{text}");
        assert_eq!(
            serde_json::from_str::<AuditEvent>(&text).expect("reads"),
            event
        );
    }
}
