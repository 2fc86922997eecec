//! Documents of the directory sync with everything in them: its state, every change, its report and plan.

use rollcall_domain::directory::{
    Change, Field, Leaving, Member, Outcome, OutcomeStatus, Pause, Pending, Phase, Skip,
    SkipReason, Source, Subject, SyncConfig, SyncPlan, SyncReport, SyncState, TeamKey, TestMark,
    What,
};
use serde_json::json;

use super::{known, written};
use crate::frozen::samples::{ada, at, object, slot};

/// A sync about which everything is known.
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
    let config: SyncConfig = serde_json::from_value(config).expect("a configuration");
    let rhythm = json!({"times": ["04:00", "16:00"], "zone": "Europe/London"});
    SyncState {
        config,
        source: Some(Source::App {
            client_id: "the-app".to_owned(),
            secret_expires: Some(at(3_600)),
        }),
        credentials: 2,
        phase: Phase::Active,
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
        operator: Some(serde_json::from_value(rhythm).expect("times")),
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

/// Every reason for which somebody is skipped.
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

fn of_users() -> Vec<What> {
    let text = |text: &str| text.to_owned();
    vec![
        What::CreateUser {
            facts: Field::ALL.map(|it| (it, text(it.name()))).into(),
        },
        What::LinkUser { user: text("u-1") },
        What::SetField {
            field: Field::JobTitle,
            old: Some(text("Welder")),
            new: None,
        },
        What::ReactivateUser,
        What::DeactivateUser {
            reason: Leaving::Disabled,
        },
    ]
}

fn of_teams() -> Vec<What> {
    let text = |text: &str| text.to_owned();
    let person = || Member::Person(object(2));
    let local = || Member::Local(text("u-7"));
    vec![
        What::CreateTeam {
            name: text("Welders"),
            members: [object(2), object(3)].into(),
            supervisors: [object(4)].into(),
        },
        What::RenameTeam {
            old: text("Welders"),
            new: text("Smiths"),
        },
        What::AddMember { member: person() },
        What::RemoveMember { member: local() },
        What::AddSupervisor { member: person() },
        What::RemoveSupervisor { member: local() },
        What::ArchiveTeam { members: 12 },
        What::RestoreTeam,
    ]
}

/// A change of every kind, bare, and one with all that can be said beside it.
pub(in crate::frozen) fn every_change() -> Vec<Change> {
    let user = Subject::User(object(1));
    let team = Subject::Team(TeamKey::Group(object(9)));
    let users = of_users().into_iter();
    let users = users.map(|what| Change::new(user, "Ada", what));
    let teams = of_teams().into_iter();
    let teams = teams.map(|what| Change::new(team, "Welders", what));
    let manager = What::SetField {
        field: Field::Manager,
        old: None,
        new: Some(object(5).to_string()),
    };
    let full = Change::new(user, "Ada", manager)
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

/// A report with everything in it.
pub(in crate::frozen) fn full_report() -> SyncReport {
    let outcomes = every_change().into_iter().enumerate();
    let outcomes = outcomes.map(|(number, change)| {
        let (status, detail) = match number % 3 {
            0 => (OutcomeStatus::Done, None),
            1 => (OutcomeStatus::Failed, Some("no such user".to_owned())),
            _ => (OutcomeStatus::Deferred, None),
        };
        Outcome {
            change,
            status,
            detail,
        }
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
        kinds, What: CreateUser, LinkUser, SetField, ReactivateUser, DeactivateUser, CreateTeam,
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

/// Approvals name plans by their hash, tests name configurations by theirs,
/// decisions of people name changes by their key.
#[test]
fn hashes_and_keys() {
    let keys: Vec<_> = every_change().iter().map(Change::key).collect();
    insta::assert_json_snapshot!(json!({
        "hash of a plan": full_plan().hash(),
        "hash of an empty plan": SyncPlan::default().hash(),
        "fingerprint of a configuration": full_state().fingerprint(),
        "keys of changes": keys,
    }));
}
