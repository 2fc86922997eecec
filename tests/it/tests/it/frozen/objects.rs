//! Objects in the bucket: their keys and contents.

use rollcall_clients::objects::{
    members_key, part_key, report_key, schema_key, snapshot_key, sync_key,
};
use rollcall_domain::base::run::Run;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::directory_sync::{
    Checkpoint, DirectoryGroup, DirectoryPerson, Gone, Platform, PlatformTeam, PlatformUser,
    SourceDirectory, TeamKey,
};
use rollcall_domain::membership::report::MaintenanceReport;
use serde_json::json;

use super::samples::{TENANT, object, profile_id, slot, snapshot_id};
use super::steady::dump;
use super::values::{reports, sync, written};

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
        "empty": written(&rollcall_domain::directory_sync::SyncReport::default()),
    }));
}

fn directory() -> SourceDirectory {
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
    SourceDirectory {
        people: [(object(1), full), (object(2), DirectoryPerson::default())].into(),
        groups: [(object(3), group), (object(4), empty)].into(),
        gone: [(object(5), Gone::Deleted), (object(6), Gone::Vanished)].into(),
    }
}

fn platform() -> Platform {
    let facts = rollcall_domain::directory_sync::Field::ALL;
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
    let stored = Checkpoint {
        directory: directory(),
        platform: platform(),
    };
    insta::assert_json_snapshot!(json!({
        "full": written(&stored),
        "empty": written(&Checkpoint::default()),
    }));
    let bytes = Checkpoint::default().to_bytes().expect("not encoded");
    insta::assert_snapshot!("what_a_sync_read_nothing_in_bytes", dump(&bytes));
}
