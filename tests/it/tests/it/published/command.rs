//! The output of the local stack's command, for fixed values.

use std::collections::BTreeMap;

use rollcall_domain::membership::report::{
    GraphUse, MaintenanceReport, ProfileReport, ProfileStatus,
};
use rollcall_domain::snapshot::describe::describe;
use rollcall_domain::snapshot::format::encode;
use rollcall_domain::testing::{World, profile_id};
use rollcall_local::summary::{MailLine, Summary};

/// Returns a report with one profile of every status.
fn report() -> MaintenanceReport {
    let statuses = [
        ("Field staff", ProfileStatus::Synchronised, None),
        (
            "Managers",
            ProfileStatus::Held,
            Some("60 member changes exceed the limit of 50 members"),
        ),
        (
            "New hires",
            ProfileStatus::NeedsReview,
            Some("the field Hire Date no longer exists"),
        ),
        (
            "Sales",
            ProfileStatus::Failed,
            Some("the group answered 503"),
        ),
        ("By hand", ProfileStatus::Unmanaged, None),
        (
            "Everybody in every office of the whole wide world",
            ProfileStatus::Unfinished,
            None,
        ),
        ("Former", ProfileStatus::Deleted, None),
    ];
    let mut profiles = Vec::new();
    for (at, (title, status, reason)) in statuses.into_iter().enumerate() {
        let mut profile = ProfileReport::new(profile_id(title), title);
        profile.status = status;
        profile.reason = reason.map(str::to_owned);
        profile.members = at * 11;
        profile.added.done = at;
        profile.unreachable = at / 5;
        profile.courses = at % 3;
        profile.enrolments.done = at % 2;
        profile.enrolments.already = at % 3;
        profiles.push(profile);
    }
    profiles[0].notes = vec!["somebody added Ada by hand; she was taken out".to_owned()];
    MaintenanceReport {
        profiles,
        graph: GraphUse {
            http: 12,
            requests: 48,
            writes: 9,
            min_writes: 7,
        },
        ..MaintenanceReport::default()
    }
}

fn summary() -> Summary {
    let mut summary = Summary::of("Contoso", &report());
    let data = [("people", 300), ("courses", 12), ("enrolments", 924)];
    summary.data = data.map(|(name, count)| (name.to_owned(), count)).into();
    summary.mails = vec![MailLine {
        to: vec![
            "lms@contoso.example".to_owned(),
            "it@contoso.example".to_owned(),
        ],
        subject: "Rollcall is ready for use".to_owned(),
    }];
    summary.seconds = BTreeMap::from([("refresh".to_owned(), 1.25)]);
    summary.memory_mib = BTreeMap::from([("refresh-job".to_owned(), 64)]);
    summary.profiles[0].file = Some("members/Field staff.xlsx".to_owned());
    summary.problems = vec!["users.csv, line 7: no address".to_owned()];
    summary
}

#[test]
fn the_summary_of_a_demo() {
    insta::assert_snapshot!(summary().to_string());
}

#[test]
fn the_summary_of_a_demo_that_changed_nothing() {
    let mut quiet = summary();
    quiet.changed = false;
    quiet.mails.clear();
    let line = quiet.profiles[1].clone();
    quiet.profiles = vec![line; 30];
    quiet.problems = vec!["users.csv, line 7: no address".to_owned(); 30];
    insta::assert_snapshot!(quiet.to_string());
}

#[test]
fn the_summary_for_programs() {
    let json = serde_json::to_string(&summary()).expect("not serialized");
    insta::assert_snapshot!(super::lines(&json));
}

fn file() -> Vec<u8> {
    let mut world = World::new();
    world.person("Ada").with("city", "Denver");
    world.person("Grace").without_entra();
    world.course("Security 101");
    world.completed("Ada", "Security 101", "2026-01-01");
    encode(&world.snapshot()).expect("not encoded")
}

#[test]
fn the_description_of_a_snapshot() {
    let sound = describe(&file()).expect("not described");
    // The first byte whose damage leaves the table of sections readable.
    let damaged = (0..file().len()).find_map(|at| {
        let mut file = file();
        file[at] ^= 0xff;
        describe(&file)
            .ok()
            .filter(|it| it.wrong().next().is_some())
    });
    let damaged = damaged.expect("no damaged column");
    let mut foreign = file();
    foreign[0] ^= 0xff;
    let foreign = describe(&foreign).expect_err("was read as a snapshot");
    insta::assert_snapshot!(format!(
        "{sound}\n##########\n{damaged}\n##########\n{foreign}"
    ));
}
