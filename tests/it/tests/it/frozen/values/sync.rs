//! Documents of the directory sync with all fields: state, changes, report and plan.

use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::{
    ChangeKind, ChangeOutcome, ChangeSubject, DepartureReason, Field, Member, Pause, Pending,
    PlannedChange, Skip, SkipReason, SourceConnection, SyncConfig, SyncPhase, SyncPlan, SyncReport,
    SyncState, TeamKey, TestMark,
};
use serde_json::json;

use super::{known, written};
use crate::frozen::samples::{ada, at, object, slot};

/// Returns a state with all fields.
pub(in crate::frozen) fn full_state() -> SyncState {
    let config = json!({
        "target": "https://lms.example/scim/v2",
        "defaultLanguage": "fr-CA",
        "guests": false,
        "jobTitle": false,
        "teams": {"groups": true, "managers": true},
        "strategy": {"kind": "daily", "time": "23:05", "zone": "Europe/London"},
        "apply": "review",
        "notify": object(1),
        "filters": {
            "graph": "department eq 'Sales'",
            "email": {"include": ["@contoso.example"], "exclude": ["test"]},
            "groups": [object(3)],
        },
        "linkExisting": true,
        "guard": {"maxChanges": 50, "maxPercent": 12.5},
    });
    let config: SyncConfig = serde_json::from_value(config).expect("invalid configuration");
    let rhythm = json!({"times": ["04:00", "16:00"], "zone": "Europe/London"});
    SyncState {
        config,
        source: Some(SourceConnection::App {
            client_id: "the-app".to_owned(),
            secret_expires: Some(at(3_600)),
        }),
        credentials: 2,
        phase: SyncPhase::Active,
        test: Some(TestMark {
            of: "0123456789abcdef".to_owned(),
            passed: true,
            at: at(1),
        }),
        pause: Some(Pause {
            since: at(2),
            error: "the token was refused".to_owned(),
            needs_person: true,
        }),
        operator: Some(serde_json::from_value(rhythm).expect("invalid schedule")),
        pending: Some(Pending {
            run: slot(3),
            at: at(4),
            hash: "fedcba9876543210".to_owned(),
            held: Some("12 people would be deactivated; the limit is 10".to_owned()),
            approved: Some((ada(), at(5))),
        }),
        due: Some(at(6)),
        edits: 7,
        by: ada(),
        at: at(8),
        activated: Some(at(9)),
        read_in_full: Some(at(10)),
    }
}

/// Returns every reason to skip a user.
pub(super) fn every_skip() -> Vec<SkipReason> {
    let email = || "kay@contoso.example".to_owned();
    vec![
        SkipReason::Lacking {
            fields: vec![Field::FirstName, Field::Email],
        },
        SkipReason::SharedAddress { email: email() },
        SkipReason::AddressTaken {
            email: email(),
            by: "Kay".to_owned(),
        },
        SkipReason::Unknown,
        SkipReason::LinkedTwice {
            users: vec!["u-1".to_owned(), "u-2".to_owned()],
        },
    ]
}

fn of_users() -> Vec<ChangeKind> {
    let text = |text: &str| text.to_owned();
    vec![
        ChangeKind::CreateUser {
            facts: Field::ALL.map(|it| (it, text(it.name()))).into(),
        },
        ChangeKind::LinkUser { user: text("u-1") },
        ChangeKind::SetField {
            field: Field::JobTitle,
            old: Some(text("Welder")),
            new: None,
        },
        ChangeKind::ReactivateUser,
        ChangeKind::DeactivateUser {
            reason: DepartureReason::Disabled,
        },
    ]
}

fn of_teams() -> Vec<ChangeKind> {
    let text = |text: &str| text.to_owned();
    let person = || Member::Person(object(2));
    let local = || Member::Local(text("u-7"));
    vec![
        ChangeKind::CreateTeam {
            name: text("Welders"),
            members: [object(2), object(3)].into(),
            supervisors: [object(4)].into(),
        },
        ChangeKind::RenameTeam {
            old: text("Welders"),
            new: text("Smiths"),
        },
        ChangeKind::AddMember { member: person() },
        ChangeKind::RemoveMember { member: local() },
        ChangeKind::AddSupervisor { member: person() },
        ChangeKind::RemoveSupervisor { member: local() },
        ChangeKind::ArchiveTeam { members: 12 },
        ChangeKind::RestoreTeam,
    ]
}

/// Returns a change of every kind without optional fields, and one with all of them.
pub(in crate::frozen) fn every_change() -> Vec<PlannedChange> {
    let user = ChangeSubject::User(object(1));
    let team = ChangeSubject::Team(TeamKey::Group(object(9)));
    let users = of_users().into_iter();
    let users = users.map(|what| PlannedChange::new(user, "Ada", what));
    let teams = of_teams().into_iter();
    let teams = teams.map(|what| PlannedChange::new(team, "Welders", what));
    let manager = ChangeKind::SetField {
        field: Field::Manager,
        old: None,
        new: Some(object(5).to_string()),
    };
    let full = PlannedChange::new(user, "Ada", manager)
        .about("Grace")
        .instead_of("Alan")
        .overwriting(true);
    users.chain(teams).chain([full]).collect()
}

fn skips() -> Vec<Skip> {
    let reasons = every_skip().into_iter();
    let skips = reasons.map(|reason| Skip {
        person: object(6),
        name: "Kay".to_owned(),
        reason,
    });
    skips.collect()
}

/// Returns a report with all fields.
pub(in crate::frozen) fn full_report() -> SyncReport {
    let outcomes = every_change().into_iter().enumerate();
    let outcomes = outcomes.map(|(number, change)| {
        let outcome = match number % 3 {
            0 => Outcome::Done,
            1 => Outcome::Failed("no such user".to_owned()),
            _ => Outcome::Deferred(None),
        };
        ChangeOutcome { change, outcome }
    });
    SyncReport {
        outcomes: outcomes.collect(),
        waiting: every_change().into_iter().take(1).collect(),
        held: Some("12 people would be deactivated; the limit is 10".to_owned()),
        skipped: skips(),
        pinned: every_change().into_iter().skip(13).collect(),
        notes: vec!["groups were read anew".to_owned()],
    }
}

fn full_plan() -> SyncPlan {
    SyncPlan {
        changes: every_change(),
        skipped: skips(),
        pinned: every_change().into_iter().take(1).collect(),
        active: 12,
        memberships: 34,
    }
}

#[test]
fn every_change_as_stored() {
    let changes = every_change();
    let kinds: Vec<_> = changes.iter().map(|change| change.what.clone()).collect();
    let kinds = known!(
        kinds, ChangeKind: CreateUser, LinkUser, SetField, ReactivateUser, DeactivateUser, CreateTeam,
        RenameTeam, AddMember, RemoveMember, AddSupervisor, RemoveSupervisor, ArchiveTeam,
        RestoreTeam
    );
    assert_eq!(kinds.len(), 14);
    let changes: Vec<_> = changes.iter().map(written).collect();
    insta::assert_json_snapshot!(changes);
}

#[test]
fn a_plan_as_json() {
    insta::assert_json_snapshot!(json!({
        "full": written(&full_plan()),
        "empty": written(&SyncPlan::default()),
    }));
}

/// Approvals refer to plans by their hash, tests to configurations by their hash, and decisions to
/// changes by their key.
#[test]
fn hashes_and_keys() {
    let keys: Vec<_> = every_change().iter().map(PlannedChange::key).collect();
    insta::assert_json_snapshot!(json!({
        "hash of a plan": full_plan().hash(),
        "hash of an empty plan": SyncPlan::default().hash(),
        "fingerprint of a configuration": full_state().fingerprint(),
        "keys of changes": keys,
    }));
}
