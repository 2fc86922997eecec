//! Objects in the bucket: their keys, and what stands in them.

use std::collections::BTreeMap;

use rollcall_clients::objects::{
    members_key, part_key, report_key, schema_key, snapshot_key, sync_key,
};
use rollcall_domain::directory::{
    Directory, DirectoryGroup, DirectoryPerson, Gone, Platform, PlatformTeam, PlatformUser, Stored,
    TeamKey,
};
use rollcall_domain::ids::SnapshotId;
use rollcall_domain::lms::{FieldKind, Progress};
use rollcall_domain::report::MaintenanceReport;
use rollcall_domain::run::Run;
use rollcall_domain::schedule::Job;
use rollcall_domain::snapshot::{Snapshot, encode};
use rollcall_domain::testing::World;
use serde_json::json;

use super::samples::{TENANT, at, object, profile_id, slot, snapshot_id};
use super::steady::dump;
use super::values::{reports, sync, written};
use crate::harness::{App, Town, aws_config, in_city};
use crate::syncing::Office;

#[test]
fn keys() {
    let name = |job| Run::name(job, slot(0));
    let sync = name(Job::DirectorySync);
    let parts = [0, 1, 12];
    insta::assert_json_snapshot!(json!({
        "snapshot": snapshot_key(TENANT, &snapshot_id(1)),
        "schema": schema_key(TENANT, &snapshot_id(1)),
        "members": members_key(TENANT, profile_id(1)),
        "reports": Job::ALL.map(|job| report_key(TENANT, &name(job))),
        "parts of reports": parts.map(|part| part_key(TENANT, &sync, part)),
        "what a sync read": parts.map(|part| sync_key(TENANT, &sync, part)),
    }));
}

/// A small world with a field of each kind, people with and without values, and
/// enrolments of each progress.
fn world() -> World {
    let mut world = World::new();
    for (title, kind) in [
        ("Badge", FieldKind::Text),
        ("Driver", FieldKind::Boolean),
        ("Years", FieldKind::Number),
        ("Hired", FieldKind::Date),
    ] {
        world.field(title, kind);
    }
    world.course("Welding");
    world.course("First Aid");
    world
        .person("Ada")
        .with("city", "Denver")
        .with("department", "Field")
        .with("jobTitle", "Welder")
        .with("email", "ada@contoso.example")
        .custom("Badge", "B-1")
        .custom("Driver", "true")
        .custom("Years", "12.5")
        .custom("Hired", "2020-02-29");
    world.person("Zoë").with("city", "denver ").without_entra();
    world.lms_group("c:0t.c|tenant|group");
    world.completed("Ada", "Welding", "2021-01-02");
    let due = Some("2021-05-06");
    world.enrol("Ada", "First Aid", Progress::InProgress, None, due);
    world.enrol("Zoë", "Welding", Progress::NotStarted, None, None);
    world
}

fn snapshot() -> Snapshot {
    let mut snapshot = world().snapshot();
    let id: SnapshotId = snapshot_id(1);
    snapshot.header.id = id.clone();
    snapshot.header.tenant = TENANT;
    snapshot.header.taken_at = at(0);
    snapshot.people.lineage.first = id;
    snapshot
}

/// Bytes that another version of zstd made would be fine, too; everything else
/// in them is the format.
#[test]
fn a_snapshot() {
    let bytes = encode::encode(&snapshot()).expect("encodes");
    assert_eq!(encode::decode(&bytes).expect("decodes"), snapshot());
    insta::assert_snapshot!(dump(&bytes));
}

#[test]
fn the_schema_of_a_snapshot() {
    let schema = rollcall_domain::schema::build(&snapshot());
    insta::assert_json_snapshot!(written(&schema));
}

#[test]
fn reports_of_maintenance() {
    insta::assert_json_snapshot!(json!({
        "full": written(&reports::full_report()),
        "empty": written(&MaintenanceReport::default()),
    }));
}

#[test]
fn reports_of_the_directory_sync() {
    insta::assert_json_snapshot!(json!({
        "full": written(&sync::full_report()),
        "empty": written(&rollcall_domain::directory::SyncReport::default()),
    }));
}

fn directory() -> Directory {
    let text = |text: &str| Some(text.to_owned());
    let full = DirectoryPerson {
        first_name: text("Ada"),
        last_name: text("Lovelace"),
        display_name: text("Ada Lovelace"),
        email: text("ada@contoso.example"),
        sign_in_name: text("ada@login.example"),
        job_title: text("Welder"),
        department: text("Field"),
        guest: true,
        enabled: true,
        manager: Some(object(2)),
    };
    let group = DirectoryGroup {
        name: "Welders".to_owned(),
        members: [object(1)].into(),
    };
    let empty = DirectoryGroup::default();
    Directory {
        people: [(object(1), full), (object(2), DirectoryPerson::default())].into(),
        groups: [(object(3), group), (object(4), empty)].into(),
        gone: [(object(5), Gone::Deleted), (object(6), Gone::Vanished)].into(),
    }
}

fn platform() -> Platform {
    let facts = rollcall_domain::directory::Field::ALL;
    let linked = PlatformUser {
        person: Some(object(1)),
        foreign: false,
        user_name: "ada@contoso.example".to_owned(),
        active: true,
        facts: facts.map(|field| (field, field.name().to_owned())).into(),
    };
    let foreign = PlatformUser {
        foreign: true,
        user_name: "robot".to_owned(),
        ..PlatformUser::default()
    };
    let team = PlatformTeam {
        team: Some(TeamKey::Group(object(3))),
        name: "Welders".to_owned(),
        members: ["u-1".to_owned()].into(),
        supervisors: ["u-2".to_owned()].into(),
        archived: true,
    };
    Platform {
        users: [("u-1".to_owned(), linked), ("u-2".to_owned(), foreign)].into(),
        teams: [
            ("t-1".to_owned(), team),
            ("t-2".to_owned(), PlatformTeam::default()),
        ]
        .into(),
    }
}

#[test]
fn what_a_sync_read() {
    let stored = Stored {
        directory: directory(),
        platform: platform(),
    };
    insta::assert_json_snapshot!(json!({
        "full": written(&stored),
        "empty": written(&Stored::default()),
    }));
    let bytes = Stored::default().to_bytes().expect("encodes");
    insta::assert_snapshot!("what_a_sync_read_nothing_in_bytes", dump(&bytes));
}

/// What the jobs really left in the bucket: keys without what is random, and
/// media types.
async fn left_by(app: &App) -> BTreeMap<String, String> {
    let config = aws_sdk_s3::config::Builder::from(&aws_config().await)
        .force_path_style(true)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let bucket = &app.services.settings.bucket;
    let list = client.list_objects_v2().bucket(bucket);
    let list = list.into_paginator().send();
    let pages = list.collect::<Result<Vec<_>, _>>().await.expect("a list");
    let keys = pages.iter().flat_map(|page| page.contents());
    let tenant = app.id.to_string();
    let mut found = BTreeMap::new();
    for key in keys.filter_map(|object| object.key()) {
        if key.contains(&tenant) {
            let head = client.head_object().bucket(bucket).key(key).send().await;
            let media_type = head.expect("it is there").content_type;
            found.insert(without_chance(key), media_type.unwrap_or_default());
        }
    }
    found
}

fn without_chance(key: &str) -> String {
    let patterns = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[id]"),
        (r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}", "[snapshot]"),
        (
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z",
            "[slot]",
        ),
    ];
    patterns
        .iter()
        .fold(key.to_owned(), |key, (pattern, name)| {
            let pattern = regex::Regex::new(pattern).expect("a pattern");
            pattern.replace_all(&key, *name).into_owned()
        })
}

#[tokio::test]
async fn what_the_jobs_leave() {
    let mut app = Box::pin(App::ready(Town::small())).await;
    let filter = in_city("Denver");
    let put = app.put("Denver", |profile| profile.filter.properties = Some(filter));
    put.await;
    Box::pin(app.maintained()).await;
    insta::assert_json_snapshot!(left_by(&app).await);
}

#[tokio::test]
async fn what_the_sync_leaves() {
    let office = Box::pin(Office::small()).await;
    Box::pin(office.active(|_| ())).await;
    insta::assert_json_snapshot!(left_by(&office.app).await);
}
