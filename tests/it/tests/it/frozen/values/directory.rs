//! All variants in the documents of the directory sync.

use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::config::{EmailFilter, SyncFilters};
use rollcall_domain::directory_sync::{
    ApplyMode, ChangeSubject, DepartureReason, Field, Gone, Member, Schedule, SkipReason,
    SourceConnection, Strategy, SyncConfig, SyncCounts, SyncPhase, TeamKey,
};
use serde_json::{Value, json};

use super::sync::every_skip;
use super::{every, known, written};
use crate::frozen::samples::{at, object};

#[test]
fn enums_of_the_directory_sync() {
    insta::assert_json_snapshot!(json!({
        "what happens with what is found": every!(ApplyMode: Automatic, Review),
        "how far the sync is": every!(SyncPhase: Inactive, Active, Deactivated, Disconnected),
        "a field": every!(
            Field: Email, FirstName, LastName, DisplayName, JobTitle, Department, Manager
        ),
        "a field in keys of changes": Field::ALL.map(Field::name),
        "why somebody is gone": every!(Gone: Deleted, Vanished),
        "why somebody leaves": every!(
            DepartureReason: Disabled, Deleted, Vanished, Guest, GraphFilter, EmailNotIncluded,
            EmailExcluded, NotInGroups
        ),
        "how a change ended": change_outcomes(),
    }));
}

/// Returns the stored names of the outcomes of a change.
fn change_outcomes() -> Vec<Value> {
    let outcomes = [
        Outcome::Done,
        Outcome::Failed(String::new()),
        Outcome::Deferred(None),
    ];
    let stored = outcomes.map(|outcome| serde_json::to_value(outcome).expect("not serialized"));
    stored.map(|stored| stored["status"].clone()).into()
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("not read")
}

#[test]
fn choices_of_the_directory_sync() {
    let (group, manager) = (TeamKey::Group(object(1)), TeamKey::Manager(object(2)));
    let sources = [
        SourceConnection::App {
            client_id: "the-app".to_owned(),
            secret_expires: Some(at(0)),
        },
        SourceConnection::App {
            client_id: "the-app".to_owned(),
            secret_expires: None,
        },
        SourceConnection::Consent,
    ];
    let strategies: [Strategy; 3] = [
        Strategy::Manual,
        Strategy::default(),
        from(json!({"kind": "daily", "time": "23:05", "zone": "Europe/London"})),
    ];
    let rhythm: Schedule = from(json!({"times": ["16:00", "04:00"], "zone": "Europe/London"}));
    let subjects = [
        ChangeSubject::User(object(1)),
        ChangeSubject::Team(group),
        ChangeSubject::Team(manager),
    ];
    let members = [Member::Person(object(1)), Member::Local("u-7".to_owned())];
    insta::assert_json_snapshot!(json!({
        "how the directory is read": known!(sources, SourceConnection: App, Consent),
        "when it runs": known!(strategies, Strategy: Manual, Daily),
        "times an operator sets": written(&rhythm),
        "a team": known!([group, manager], TeamKey: Group, Manager),
        "whom a change is about": known!(subjects, ChangeSubject: User, Team),
        "somebody in a team": known!(members, Member: Person, Local),
        "why somebody is skipped": known!(
            every_skip(), SkipReason: Lacking, SharedAddress, AddressTaken, Unknown, LinkedTwice
        ),
    }));
}

/// Snapshots filters with all fields, with empty fields and without fields, and counts of runs.
#[test]
fn filters_and_counts_of_the_directory_sync() {
    let whole = SyncFilters {
        graph: Some("department eq 'Sales'".to_owned()),
        email: Some(EmailFilter {
            include: ["@contoso.example".to_owned()].into(),
            exclude: ["test".to_owned(), "service".to_owned()].into(),
        }),
        groups: Some([object(3), object(4)].into()),
    };
    let empty = SyncFilters {
        email: Some(EmailFilter::default()),
        groups: Some([].into()),
        ..SyncFilters::default()
    };
    let counts = SyncCounts {
        users_created: 1,
        users_updated: 2,
        users_deactivated: 3,
        users_reactivated: 4,
        teams_created: 5,
        teams_updated: 6,
        teams_archived: 7,
        manual_overwritten: 8,
    };
    insta::assert_json_snapshot!(json!({
        "all filters": written(&whole),
        "empty filters": written(&empty),
        "no filters": written(&SyncFilters::default()),
        "a configuration with all defaults": written(&SyncConfig::new("https://lms.example/scim")),
        "counts": written(&counts),
        "counts in records of runs": counts.named(),
    }));
}
