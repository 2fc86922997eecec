//! Fixed values to store: ids that count up, times in 2021, profiles with all fields and with none.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::audience::discrepancies::{MissingReferences, MissingSince};
use rollcall_domain::audience::profile::{Lifecycle, Overrides, Profile, Retraction, Target};
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{
    CatalogId, CourseId, ObjectId, ProfileId, SessionId, SnapshotId, TenantId, UserId,
};
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::base::throttle::{Exceeded, Throttle};
use rollcall_domain::connection::{Account, AccountCapabilities};
use rollcall_domain::membership::plan::PlanHash;
use rollcall_domain::notices::{Channel, Language, Notice, NoticeKind, Urgency};
use rollcall_domain::rules::{FilterDocument, MatchMode};
use serde_json::json;
use uuid::Uuid;

/// Returns an id that shows the kind and number of the object.
const fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128((kind << 96) + number)
}

/// The tenant.
pub(super) const TENANT: TenantId = TenantId::new(id(0xa, 0x2b));

/// Another tenant, in another shard.
pub(super) const OTHER_TENANT: TenantId = TenantId::new(id(0xa, 0x2c));

pub(super) const fn profile_id(number: u128) -> ProfileId {
    ProfileId::new(id(0xb, number))
}

pub(super) const fn user(number: u128) -> UserId {
    UserId::new(id(0xc, number))
}

pub(super) const fn course(number: u128) -> CourseId {
    CourseId::new(id(0xd, number))
}

pub(super) const fn catalog(number: u128) -> CatalogId {
    CatalogId::new(id(0xe, number))
}

pub(super) const fn session_id(number: u128) -> SessionId {
    SessionId::new(id(0xf, number))
}

pub(super) const fn object(number: u128) -> ObjectId {
    ObjectId::new(id(0x1a, number))
}

/// Returns the start time of the samples plus a number of seconds.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    let first = "2021-03-04T05:06:07.089Z".parse::<DateTime<Utc>>();
    first.expect("no time") + TimeDelta::seconds(seconds)
}

/// Returns a slot this number of seconds after the start time.
pub(super) fn slot(seconds: i64) -> Slot {
    Slot::by_hand(at(seconds))
}

/// Returns the id of a snapshot.
pub(super) fn snapshot_id(number: u128) -> SnapshotId {
    SnapshotId::new(at(0), Uuid::from_u128(number << 80))
}

/// Returns a plan hash.
pub(super) fn hash() -> PlanHash {
    serde_json::from_value(json!("0123456789abcdef")).expect("invalid hash")
}

/// Returns an actor with an object id.
pub(super) fn ada() -> Actor {
    Actor {
        object: Some(object(1)),
        name: "ada@contoso.example".to_owned(),
    }
}

/// Returns an event with all fields.
pub(super) fn event(seconds: i64, action: Action) -> AuditEvent {
    AuditEvent::new(at(seconds), ada(), action)
        .on(profile_id(1), "Field staff")
        .with("why", "a new office")
        .with("fields", "title, enroll")
}

/// Returns an event with the required fields only.
pub(super) fn bare_event(seconds: i64, action: Action) -> AuditEvent {
    AuditEvent::new(at(seconds), Actor::named("operator"), action)
}

/// Returns the result of exceeding both limits.
pub(super) fn both_limits() -> Exceeded {
    Exceeded {
        changes: 60,
        current: 80,
        max_changes: Some(50),
        max_percent: Some(12.5),
        is_default: false,
    }
}

/// Returns the result of exceeding none, in which both limits are absent.
pub(super) fn no_limits() -> Exceeded {
    Exceeded {
        changes: 1,
        current: 0,
        max_changes: None,
        max_percent: None,
        is_default: false,
    }
}

/// Returns the account of a catalog.
pub(super) fn account() -> Account {
    Account {
        object: object(7),
        address: "academy@contoso.example".to_owned(),
        name: "Contoso Academy".to_owned(),
    }
}

/// Returns the capabilities of an account with a mailbox and without Teams.
pub(super) fn able() -> AccountCapabilities {
    AccountCapabilities::new(true, false)
}

/// Returns a scheduled request.
pub(super) fn request(job: Job, seconds: i64) -> RunRequest {
    RunRequest {
        job,
        tenant: TENANT,
        slot: slot(seconds),
        trigger: Trigger::Schedule,
        continuation: 0,
        waits: 0,
    }
}

/// Returns a manual trigger with all fields.
pub(super) fn manual() -> Trigger {
    Trigger::Manual {
        by: "ada@contoso.example".to_owned(),
        user: Some(object(1)),
        display_name: Some("Ada".to_owned()),
        accept_smaller_data: true,
    }
}

/// Returns a notice by system mail, in English.
pub(super) fn notice(about: NoticeKind) -> Notice {
    let recipients = vec!["lms@contoso.example".to_owned()];
    Notice::new(TENANT, "Contoso", recipients, about)
}

/// Returns a notice by a catalog's account, in another language.
pub(super) fn catalog_notice(urgency: Urgency, people: u64) -> Notice {
    let about = NoticeKind::Ready { people, courses: 3 };
    let recipients = vec![format!("learner-{people}@contoso.example")];
    Notice::new(TENANT, "Contoso", recipients, about)
        .over(Channel::Catalog {
            catalog: catalog(1),
        })
        .urgency(urgency)
        .in_language(Language::German)
}

/// Returns a profile with the required fields only.
pub(super) fn small_profile() -> Profile {
    Profile {
        id: profile_id(2),
        title: "Nobody".to_owned(),
        description: "Nothing yet".to_owned(),
        enroll: false,
        auto_populate: false,
        throttle: Throttle::default(),
        filter: FilterDocument::default(),
        overrides: Overrides::default(),
        courses: BTreeSet::new(),
        time_zone: serde_json::from_value(json!("UTC")).expect("invalid zone"),
        retraction: Retraction::default(),
        retraction_handled: false,
        lifecycle: Lifecycle::Active,
        modified_at: at(0),
        modified_by: "ada@contoso.example".to_owned(),
    }
}

/// Returns a profile with all fields.
pub(super) fn large_profile() -> Profile {
    let rule = |field: &str, operator: &str, value: serde_json::Value| json!({"id": "r-1", "field": field, "operator": operator, "value": value});
    let group = |rule: serde_json::Value| json!({"id": "g-1", "combinator": "or", "not": true, "rules": [rule]});
    let hired = format!("custom:{}", id(0x10, 1));
    let welding = format!("course:{}", course(1));
    Profile {
        id: profile_id(1),
        title: "  Straße & Field staff ".to_owned(),
        description: "Everybody outside".to_owned(),
        enroll: true,
        auto_populate: true,
        throttle: Throttle {
            max_changes: Some(50),
            max_percent: Some(12.5),
        },
        filter: FilterDocument {
            mode: MatchMode::Any,
            properties: Some(group(rule("city", "in", json!(["Denver", "Oslo"])))),
            dates: Some(group(rule(&hired, "inLast", json!(30)))),
            activities: Some(group(rule(&welding, "notCompleted", json!("")))),
        },
        overrides: Overrides {
            include: [Target::User(user(1)), Target::Profile(profile_id(2))].into(),
            exclude: [Target::User(user(2))].into(),
        },
        courses: [course(1), course(2)].into(),
        time_zone: serde_json::from_value(json!("America/Denver")).expect("invalid zone"),
        retraction: Retraction::CoursesOnly,
        retraction_handled: true,
        lifecycle: Lifecycle::Active,
        modified_at: at(1),
        modified_by: "ada@contoso.example".to_owned(),
    }
}

/// Returns references that are missing.
pub(super) fn missing() -> MissingReferences {
    let since = MissingSince {
        at: at(5),
        refreshes: 3,
        last: snapshot_id(1),
    };
    MissingReferences {
        users: [(user(1), since.clone())].into(),
        courses: [(course(1), since)].into(),
    }
}
