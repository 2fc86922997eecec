//! Causes of failed connections, names of checks, and reasons to reject data.

use rollcall_domain::connection::installation::Feature;
use rollcall_domain::connection::{Cause, Check, CheckId, ConnectionKind, ConnectionTest};
use rollcall_domain::snapshot::sanity::{Counts, emptied, shrunk};

#[test]
fn every_cause_in_words() {
    let told = Cause::ALL.map(|cause| {
        let name = serde_json::to_string(&cause).expect("not serialized");
        let (remedy, whom) = (cause.remedy(), cause.report_to());
        let remedy = serde_json::to_string(&remedy).expect("not serialized");
        format!(
            "{name} | {} | {remedy} | {whom:?}\n  {}\n",
            cause.result(),
            cause.message()
        )
    });
    insta::assert_snapshot!(told.concat());
}

#[test]
fn every_check_by_its_name() {
    let mut all: Vec<CheckId> = CheckId::ALL.into_iter().chain(CheckId::SYNC).collect();
    all.sort_unstable();
    all.dedup();
    let told = all.into_iter().map(|id| {
        let [name, subject] = [
            serde_json::to_string(&id).expect("not serialized"),
            serde_json::to_string(&id.subject()).expect("not serialized"),
        ];
        format!("{name} | {subject} | {}\n", id.title())
    });
    insta::assert_snapshot!(told.collect::<String>());
}

#[test]
fn a_test_as_programs_read_it() {
    let checks = vec![
        Check::passed(CheckId::EntraSignIn, "It signs in."),
        Check::passed(CheckId::Learn365Key, "It is accepted."),
    ];
    let test = ConnectionTest::of(checks);
    insta::assert_json_snapshot!(test);
}

#[test]
fn every_kind_of_connection() {
    let told = ConnectionKind::ALL.map(|kind| {
        format!(
            "{} | {} | {:?} | {:?} | {:?} | {:?}\n",
            kind.name(),
            kind.permission(),
            kind.auth(),
            kind.consent(),
            kind.ending(),
            kind.capabilities()
        )
    });
    let features = Feature::ALL.map(|feature| {
        let name = serde_json::to_string(&feature).expect("not serialized");
        format!("{name} | {}\n", feature.title())
    });
    insta::assert_snapshot!(format!("{}\n{}", told.concat(), features.concat()));
}

#[test]
fn data_that_is_not_believed() {
    let before = Counts {
        people: 100,
        reachable: 100,
        courses: 100,
        catalogs: 100,
        fields: 100,
        enrolments: 100,
        roles: 100,
    };
    let mut told: Vec<String> = shrunk(before, Counts::default())
        .iter()
        .map(ToString::to_string)
        .collect();
    let filled = |people| {
        [
            ("city".to_owned(), people),
            ("entra:department".to_owned(), people),
        ]
        .into()
    };
    let values = emptied(&filled(100), &filled(1));
    told.extend(values.iter().map(ToString::to_string));
    insta::assert_snapshot!(told.join("\n"));
}
