//! Documents of earlier versions without newer fields can still be read, with unchanged meaning.

use rollcall_clients::store::admins::SeenAdmin;
use rollcall_clients::store::messages::InProduct;
use rollcall_clients::store::outbox::OutboxMail;
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_clients::store::sync::CheckpointPointer;
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::audience::settings::Settings;
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::run::{Run, RunRequest};
use rollcall_domain::connection::entitlement::Entitlement;
use rollcall_domain::connection::installation::Installation;
use rollcall_domain::connection::{EntraConnection, MailConnection};
use rollcall_domain::course_session::CourseSession;
use rollcall_domain::directory_sync::{SyncConfig, SyncReport, SyncState};
use rollcall_domain::notices::Notice;
use rollcall_domain::notices::delivery::MailboxState;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::frozen::samples::{TENANT, at, catalog, profile_id, session_id, snapshot_id};

/// Reads a document and serializes it again.
fn read<T: DeserializeOwned + Serialize>(document: Value) -> Value {
    let read: T = serde_json::from_value(document).expect("not read");
    serde_json::to_value(read).expect("not serialized")
}

fn request() -> Value {
    json!({"job": "refresh", "tenant": TENANT, "slot": at(0), "trigger": {"kind": "schedule"}})
}

fn notice() -> Value {
    json!({
        "id": uuid::Uuid::from_u128(1), "tenant": TENANT, "tenantName": "Contoso",
        "recipients": ["lms@contoso.example"],
        "about": {"kind": "ready", "people": 1, "courses": 2},
    })
}

#[test]
fn documents_of_tenants_and_profiles() {
    insta::assert_json_snapshot!(json!({
        "settings": read::<Settings>(json!({"contact": "lms@contoso.example"})),
        "entitlement": read::<Entitlement>(json!({"plan": "standard"})),
        "installation": read::<Installation>(json!({})),
        "administrator": read::<SeenAdmin>(json!({"name": "ada", "roles": [], "at": at(0)})),
        "event": read::<AuditEvent>(json!({
            "at": at(0), "by": {"name": "ada"}, "action": "settings_saved",
        })),
        "profile": read::<Profile>(json!({
            "id": profile_id(1), "title": "P", "description": "About P", "enroll": true,
            "autoPopulate": true, "modifiedAt": at(0), "modifiedBy": "ada",
        })),
        "state of a profile": read::<ProfileState>(json!({})),
        "snapshot in use": read::<SnapshotPointer>(json!({
            "id": snapshot_id(1), "takenAt": at(0), "key": "k", "schemaKey": "s",
            "counts": {
                "people": 1, "reachable": 1, "courses": 1, "catalogs": 1, "fields": 1,
                "enrolments": 1,
            },
        })),
        "run": read::<Run>(json!({
            "request": request(), "status": "running", "startedAt": at(0),
        })),
    }));
}

#[test]
fn documents_of_connections_and_sessions() {
    let by = json!({"name": "ada"});
    insta::assert_json_snapshot!(json!({
        "connection of the directory": read::<EntraConnection>(json!({
            "status": "connected", "since": at(0), "by": by,
        })),
        "connection of a catalog": read::<MailConnection>(json!({
            "options": {}, "status": "connected", "since": at(0),
        })),
        "session": read::<CourseSession>(json!({
            "id": session_id(1), "catalog": catalog(1), "title": "T", "start": at(0),
            "end": at(1), "timeZone": "UTC", "version": 1, "status": "scheduled",
        })),
        "configuration of the sync": read::<SyncConfig>(json!({"target": "https://lms.example"})),
        "state of the sync": read::<SyncState>(json!({
            "config": {"target": "https://lms.example"}, "by": by, "at": at(0),
        })),
        "report of the sync": read::<SyncReport>(json!({})),
        "what the sync read": read::<CheckpointPointer>(json!({
            "key": "k", "readInFull": at(0), "people": "p", "settled": true, "target": "t",
            "platformInFull": at(0),
        })),
    }));
}

#[test]
fn messages_and_mails() {
    insta::assert_json_snapshot!(json!({
        "request for a run": read::<RunRequest>(request()),
        "request of a person": read::<RunRequest>(json!({
            "job": "maintenance", "tenant": TENANT, "slot": at(0),
            "trigger": {"kind": "manual", "by": "ada"},
        })),
        "notice": read::<Notice>(notice()),
        "notification": read::<InProduct>(json!({"notice": notice(), "at": at(0)})),
        "mail that waits": read::<OutboxMail>(json!({"notice": notice(), "queuedAt": at(0)})),
        "mailbox": read::<MailboxState>(json!({})),
    }));
}

/// Documents and messages of the release after this one are read, too: a field that it added does
/// not make a tenant unusable when the deployment is rolled back.
#[test]
fn a_field_of_a_newer_release_is_ignored() {
    fn ignores<T: DeserializeOwned + Serialize>(mut document: Value) {
        let object = document.as_object_mut().expect("no object");
        object.insert("fieldOfTheNextRelease".to_owned(), json!({"any": 1}));
        read::<T>(document);
    }
    ignores::<Settings>(json!({"contact": "lms@contoso.example"}));
    ignores::<Profile>(json!({
        "id": profile_id(1), "title": "P", "description": "About P", "enroll": true,
        "autoPopulate": true, "modifiedAt": at(0), "modifiedBy": "ada",
    }));
    ignores::<RunRequest>(request());
    ignores::<Run>(json!({"request": request(), "status": "running", "startedAt": at(0)}));
    ignores::<Notice>(notice());
    ignores::<ProfileState>(json!({}));
    ignores::<Installation>(json!({}));
    ignores::<MailboxState>(json!({}));
    ignores::<SeenAdmin>(json!({"name": "ada", "roles": [], "at": at(0)}));
}
