//! Sample notices of every kind and in other cases, for tests and screenshots.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::NoticeKind;
use crate::testing::{World, profile_id, slot};

/// Returns a typical notice of every kind.
pub fn every_kind() -> Vec<NoticeKind> {
    let mut all = jobs();
    all.extend([
        lost_account(12),
        connected(),
        secret(14),
        sync_failed(false),
        sync_complete(214),
    ]);
    all.extend(sessions());
    all
}

/// Returns further cases of the same kinds: counts of one, missing values, expired, paused.
pub fn other_faces() -> Vec<NoticeKind> {
    vec![
        NoticeKind::Ready {
            people: 1,
            courses: 1,
        },
        NoticeKind::ConnectionLost {
            connection: "Microsoft Entra ID".to_owned(),
            catalog: None,
            account: None,
            reason: "The client secret has expired.".to_owned(),
            code: None,
            since: at("2026-11-21T02:00:00Z"),
            link: String::new(),
            held: 0,
        },
        lost_account(1),
        secret(1),
        secret(0),
        secret(-3),
        sync_failed(true),
        sync_complete(1),
        NoticeKind::SessionScheduled {
            session: session(),
            version: 1,
            title: "Forklift: first steps".to_owned(),
            catalog_title: "Academy".to_owned(),
            start: at("2026-11-24T22:00:00Z"),
            end: at("2026-11-25T00:30:00Z"),
            time_zone: "Europe/Berlin".to_owned(),
            room: None,
            join_url: Some("javascript:alert(1)".to_owned()),
        },
    ]
}

/// Returns a held change of a profile with this title.
///
/// # Panics
/// Panics if `hash` is not a hash; any text is one.
pub fn held(title: &str, hash: &str) -> NoticeKind {
    NoticeKind::Held {
        profile: profile_id("P"),
        title: title.to_owned(),
        exceeded: "60 member changes exceed the limit of 50 members".to_owned(),
        adds: 50,
        removes: 10,
        hash: serde_json::from_value(hash.into()).expect("hash not deserialized"),
        since: slot(),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("time not parsed")
}

fn session() -> Uuid {
    Uuid::from_u128(0x5e55)
}

fn jobs() -> Vec<NoticeKind> {
    vec![
        NoticeKind::Ready {
            people: 12_480,
            courses: 37,
        },
        NoticeKind::Failure {
            job: "refresh".to_owned(),
            slot: "2026-11-21T02:00Z".to_owned(),
            errors: vec!["Users: the second page answered 503".to_owned()],
            consequence: "The data of 2026-11-20T23:00Z stays in use.".to_owned(),
        },
        held("Field staff", "abc"),
        NoticeKind::NeedsReview {
            profile: profile_id("P"),
            title: "New hires".to_owned(),
            problems: vec!["the field Hire Date no longer exists".to_owned()],
            edited: slot(),
        },
    ]
}

fn lost_account(held: u64) -> NoticeKind {
    NoticeKind::ConnectionLost {
        connection: "Academy".to_owned(),
        catalog: Some(World::catalog()),
        account: Some("academy@contoso.example".to_owned()),
        reason: "The password of the account was changed.".to_owned(),
        code: Some("AADSTS50173".to_owned()),
        since: at("2026-11-21T07:42:00Z"),
        link: "https://rollcall.example/catalogs/academy/connection?from=mail&step=1".to_owned(),
        held,
    }
}

fn connected() -> NoticeKind {
    NoticeKind::AccountConnected {
        catalog: World::catalog(),
        catalog_title: "Academy".to_owned(),
        account: "academy@contoso.example".to_owned(),
        able: vec!["Mail".to_owned(), "Calendar and rooms".to_owned()],
        unable: vec!["Teams meetings (the account has no Teams licence)".to_owned()],
        at: at("2026-11-21T09:15:00Z"),
        by: "ada@contoso.example".to_owned(),
    }
}

fn secret(days: i64) -> NoticeKind {
    NoticeKind::SecretExpiring {
        connection: "Microsoft Entra ID".to_owned(),
        on: slot() + TimeDelta::days(days),
        days,
        link: "https://rollcall.example/settings".to_owned(),
    }
}

fn sync_failed(paused: bool) -> NoticeKind {
    NoticeKind::SyncFailed {
        trigger: if paused { "manual" } else { "schedule" }.to_owned(),
        started: at("2026-11-21T01:00:00Z"),
        errors: vec!["Microsoft Graph refused the group list (403)".to_owned()],
        paused,
        link: "https://rollcall.example/sync/runs/41".to_owned(),
    }
}

fn sync_complete(count: u64) -> NoticeKind {
    NoticeKind::SyncComplete {
        started: at("2026-11-21T01:00:00Z"),
        created: count,
        updated: count,
        deactivated: 1,
        teams: if count == 1 { 1 } else { 8 },
        waiting: count - 1,
        link: "https://rollcall.example/sync/runs/42".to_owned(),
    }
}

fn sessions() -> Vec<NoticeKind> {
    let title = || "Forklift: first steps".to_owned();
    let catalog_title = || "Academy".to_owned();
    let time_zone = || "Europe/Berlin".to_owned();
    let (start, end) = (at("2026-11-24T08:00:00Z"), at("2026-11-24T09:30:00Z"));
    let join_url = || Some("https://teams.example/l/meetup-join/19%3ameeting".to_owned());
    vec![
        NoticeKind::SessionScheduled {
            session: session(),
            version: 1,
            title: title(),
            catalog_title: catalog_title(),
            start,
            end,
            time_zone: time_zone(),
            room: Some("Hall 2, Aalborg".to_owned()),
            join_url: join_url(),
        },
        NoticeKind::SessionChanged {
            session: session(),
            version: 2,
            title: title(),
            catalog_title: catalog_title(),
            start: start + TimeDelta::days(1),
            end: end + TimeDelta::days(1),
            time_zone: time_zone(),
            room: Some("Hall 3, Aalborg".to_owned()),
            join_url: join_url(),
        },
        NoticeKind::SessionCancelled {
            session: session(),
            version: 3,
            title: title(),
            catalog_title: catalog_title(),
            start,
            time_zone: time_zone(),
        },
        NoticeKind::RoomDeclined {
            session: session(),
            version: 2,
            title: title(),
            room: "Hall 2, Aalborg".to_owned(),
            start,
            time_zone: time_zone(),
        },
    ]
}
