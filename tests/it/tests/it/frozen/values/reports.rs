//! Reports of maintenance with all fields, shared with the test of objects.

use rollcall_domain::audience::discrepancies::Discrepancies;
use rollcall_domain::audience::profile::{Lifecycle, Target};
use rollcall_domain::base::outcome::{ChangeTally, Outcome};
use rollcall_domain::base::run::Trigger;
use rollcall_domain::membership::enrolment::EnrolmentStep;
use rollcall_domain::membership::report::{
    GraphUse, HeldChange, MaintenanceReport, ProfileReport, ProfileStatus,
};
use rollcall_domain::snapshot::Source;
use rollcall_domain::snapshot::lms::RoleScope;
use serde_json::json;

use super::{known, written};
use crate::frozen::samples::{
    at, both_limits, catalog, course, hash, manual, missing, object, profile_id, user,
};

fn tally(done: usize) -> ChangeTally {
    ChangeTally {
        done,
        already: 2,
        failed: 1,
        deferred: 3,
        failures: vec!["Ada: no such user".to_owned()],
    }
}

fn full_line() -> ProfileReport {
    ProfileReport {
        profile: profile_id(1),
        title: "Field staff".to_owned(),
        status: ProfileStatus::Held,
        reason: Some("60 changes are too many".to_owned()),
        group: Some(object(3)),
        members: 80,
        added: tally(4),
        removed: tally(5),
        unreachable: 6,
        courses: 7,
        enrolments: tally(8),
        held: Some(HeldChange {
            hash: hash(),
            exceeded: both_limits(),
            adds: 50,
            removes: 10,
        }),
        discrepancies: Discrepancies {
            overrides: [Target::User(user(1)), Target::Profile(profile_id(2))].into(),
            courses: [course(1)].into(),
            missing: missing(),
            obsolete: true,
        },
        notes: vec!["3 members had been added by hand in Entra".to_owned()],
    }
}

/// Returns a report with all fields.
pub(in crate::frozen) fn full_report() -> MaintenanceReport {
    MaintenanceReport {
        profiles: vec![full_line(), ProfileReport::new(profile_id(2), "Nobody")],
        unreadable: [("x".to_owned(), "no JSON".to_owned())].into(),
        notes: vec!["the data is old".to_owned()],
        graph: GraphUse {
            http: 1,
            requests: 2,
            writes: 3,
            min_writes: 4,
        },
        unfinished: true,
    }
}

#[test]
fn totals_in_records_of_runs() {
    insta::assert_json_snapshot!(written(&full_report().totals()));
}

/// Snapshots the steps that reports count, with their names in the tallies. Outcomes of memberships
/// and enrolments are only counted; those of the directory sync are part of its reports.
#[test]
fn steps_and_their_counts() {
    let steps = [
        EnrolmentStep::JoinCatalog {
            catalog: catalog(1),
        },
        EnrolmentStep::Enrol { course: course(1) },
        EnrolmentStep::Unenrol { course: course(1) },
        EnrolmentStep::LeaveCatalog {
            catalog: catalog(1),
            unmanaged: [course(2)].into(),
        },
    ];
    let failed = Outcome::Failed("no such course".to_owned());
    let mut line = ProfileReport::new(profile_id(1), "Field staff");
    for step in &steps {
        line.step(step, &failed);
    }
    insta::assert_json_snapshot!(json!({
        "steps": known!(steps, EnrolmentStep: JoinCatalog, Enrol, Unenrol, LeaveCatalog),
        "a line that tells of them": written(&line),
    }));
}

/// Snapshots enums with fields in profiles, run records and snapshots.
#[test]
fn enums_with_fields() {
    let lives = [
        Lifecycle::Active,
        Lifecycle::Deleted {
            at: at(0),
            by: "ada@contoso.example".to_owned(),
            handled: true,
            auto_populate_before: true,
            enroll_before: false,
        },
    ];
    let targets = [Target::User(user(1)), Target::Profile(profile_id(1))];
    let triggers = [
        Trigger::Schedule,
        Trigger::FirstSave,
        Trigger::by_hand("ada@contoso.example"),
        manual(),
    ];
    let scopes = [
        RoleScope::Course(course(1)),
        RoleScope::Catalog(catalog(1)),
        RoleScope::Other,
    ];
    let field = serde_json::from_value(json!(uuid::Uuid::from_u128(1))).expect("invalid id");
    let sources = [
        Source::Property(rollcall_domain::snapshot::Property::JobTitle),
        Source::Custom(field),
        Source::Entra("employeeType".to_owned()),
    ];
    insta::assert_json_snapshot!(json!({
        "where a profile is in its life": known!(lives, Lifecycle: Active, Deleted),
        "whom an override names": known!(targets, Target: User, Profile),
        "what started a run": known!(triggers, Trigger: Schedule, FirstSave, Manual),
        "what a role is held on": known!(scopes, RoleScope: Course, Catalog, Other),
        "where a value comes from": known!(sources, Source: Property, Custom, Entra),
    }));
}
