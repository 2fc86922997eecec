//! Identity, recipients, urgency and serialized form of notices.

use serde_json::json;

use super::super::testing::{every_kind, held};
use super::super::*;
use super::{name, notice, of, to};
use crate::testing::{World, profile_id, slot};

/// Proves S4-061, S1-34 and S1-31: the same event has the same id, another event another one.
#[test]
fn the_same_thing_is_reported_once() {
    assert_eq!(notice(held("A", "abc")).id, notice(held("B", "abc")).id);
    assert_ne!(notice(held("A", "abc")).id, notice(held("A", "def")).id);
    let changed = |kind_name: &str, field: &str, value: serde_json::Value| {
        let mut about = serde_json::to_value(of(kind_name)).expect("notice not serialized");
        assert!(about.get(field).is_some(), "{field}");
        about[field] = value;
        notice(serde_json::from_value(about).expect("notice not deserialized")).id
    };
    for (kind, same, value) in [
        ("connectionLost", "held", json!(99)),
        ("connectionLost", "connection", json!("Renamed")),
        ("connectionLost", "reason", json!("Another failed message")),
        (
            "accountConnected",
            "account",
            json!("Academy@Contoso.example"),
        ),
        ("syncComplete", "created", json!(0)),
        ("sessionChanged", "title", json!("Renamed")),
    ] {
        assert_eq!(changed(kind, same, value), notice(of(kind)).id, "{same}");
    }
    for (kind, other, value) in [
        ("connectionLost", "since", json!("2026-12-01T00:00:00Z")),
        ("connectionLost", "catalog", json!(null)),
        ("accountConnected", "at", json!("2026-12-01T00:00:00Z")),
        ("secretExpiring", "days", json!(7)),
        ("syncFailed", "started", json!("2026-12-01T00:00:00Z")),
        ("sessionChanged", "version", json!(3)),
        ("roomDeclined", "room", json!("Hall 3")),
    ] {
        assert_ne!(changed(kind, other, value), notice(of(kind)).id, "{other}");
    }
    let ids: std::collections::HashSet<_> = every_kind()
        .into_iter()
        .map(|kind| notice(kind).id)
        .collect();
    assert_eq!(ids.len(), every_kind().len());
}

/// Proves S1-15: every learner gets the message about a session once.
#[test]
fn a_session_is_reported_once_to_every_learner() {
    let told = |people: &[&str]| to(people, of("sessionScheduled")).id;
    assert_ne!(told(&["ada@c.example"]), told(&["bob@c.example"]));
    assert_eq!(
        told(&["ada@c.example", "bob@c.example"]),
        told(&["Bob@C.example", "ada@c.example", "ADA@c.example"])
    );
    let lost = |person: &str| to(&[person], of("connectionLost")).id;
    assert_eq!(lost("ada@c.example"), lost("bob@c.example"));
}

#[test]
fn an_address_is_reported_once_in_its_first_spelling() {
    let told = to(
        &["Ada@C.example", "bob@c.example", "ada@c.EXAMPLE"],
        of("ready"),
    );
    assert_eq!(told.recipients, ["Ada@C.example", "bob@c.example"]);
}

#[test]
fn what_does_not_change_goes_first() {
    assert!(Urgency::Urgent < Urgency::Normal && Urgency::Normal < Urgency::Bulk);
    let urgent: Vec<_> = every_kind()
        .into_iter()
        .filter(|kind| notice(kind.clone()).urgency == Urgency::Urgent)
        .map(|kind| name(&kind))
        .collect();
    assert_eq!(
        urgent,
        [
            "failure",
            "held",
            "connectionLost",
            "accountConnected",
            "syncFailed",
            "sessionChanged",
            "sessionCancelled"
        ]
    );
}

/// Messages that were queued before channels existed can still be read.
#[test]
fn queued_messages_of_before_still_read() {
    let failure = NoticeKind::Failure {
        job: "refresh".to_owned(),
        slot: "2026-11-21T02:00Z".to_owned(),
        errors: vec![
            "Users: the second page answered 503".to_owned(),
            "b".to_owned(),
        ],
        consequence: "c".to_owned(),
    };
    let review = NoticeKind::NeedsReview {
        profile: profile_id("P"),
        title: "New hires".to_owned(),
        problems: vec!["the field Hire Date no longer exists".to_owned()],
        edited: slot(),
    };
    let ready = NoticeKind::Ready {
        people: 120,
        courses: 7,
    };
    let title = "Field <staff>\r\nBcc: eve@evil.example";
    let profile = "00000000-0000-0000-0000-090000000f9b";
    for (about, id, form) in [
        (
            ready,
            "ca0e5d44-1657-5bc4-a7e9-b082041314f1",
            json!({"kind": "ready", "people": 120, "courses": 7}),
        ),
        (
            failure,
            "fd52cd40-b580-5b1c-a556-3bbd168e443a",
            json!({"kind": "failure", "job": "refresh", "slot": "2026-11-21T02:00Z", "errors": ["Users: the second page answered 503", "b"], "consequence": "c"}),
        ),
        (
            held(title, "abc"),
            "5819083c-096d-5103-b87c-ce8836351d5e",
            json!({"kind": "held", "profile": profile, "title": title, "exceeded": "60 member changes exceed the limit of 50 members", "adds": 50, "removes": 10, "hash": "abc", "since": "2026-11-21T00:00:00Z"}),
        ),
        (
            review,
            "487d0836-c938-5c39-bb2a-4e639dc99bd9",
            json!({"kind": "needsReview", "profile": profile, "title": "New hires", "problems": ["the field Hire Date no longer exists"], "edited": "2026-11-21T00:00:00Z"}),
        ),
    ] {
        let queued = json!({"id": id, "tenant": World::tenant(), "tenantName": "Contoso", "recipients": ["lms@contoso.example"], "about": form});
        let read: Notice = serde_json::from_value(queued).expect("notice not deserialized");
        assert_eq!(read, notice(about.clone()).urgency(Urgency::Normal));
        assert_eq!(
            serde_json::to_value(&about).expect("notice not serialized"),
            form
        );
    }
}

#[test]
fn a_notice_travels_whole() {
    let catalog = World::catalog();
    let told = notice(of("sessionCancelled"))
        .over(Channel::Catalog { catalog })
        .urgency(Urgency::Bulk)
        .in_language(Language::Danish);
    let json = serde_json::to_value(&told).expect("notice not serialized");
    assert_eq!(
        json["channel"],
        json!({"via": "catalog", "catalog": catalog})
    );
    assert_eq!(json["urgency"], "bulk");
    assert_eq!(json["language"], "da");
    assert_eq!(json["about"]["catalogTitle"], "Academy");
    assert_eq!(
        serde_json::from_value::<Notice>(json).expect("notice not deserialized"),
        told
    );
    let shown = notice(of("syncComplete")).over(Channel::InProduct);
    let json = serde_json::to_value(&shown).expect("notice not serialized");
    assert_eq!(json["channel"], json!({"via": "inProduct"}));
}
