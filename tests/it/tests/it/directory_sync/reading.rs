//! Reading the directory: by changes, or in full if changes are not reliable; filters.

use chrono::TimeDelta;
use rollcall_domain::base::run::RunStatus;
use rollcall_simulators::FaultKind;
use serde_json::{Value, json};

use super::{SyncFixture, count};

async fn settled() -> SyncFixture {
    let fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.app.forget_requests();
    fixture
}

/// A second run reads the changes of both sides and no full list.
#[tokio::test]
async fn what_changed_is_followed_on_both_sides() {
    let mut fixture = settled().await;
    fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    let run = fixture.run().await;
    assert_eq!(count(&run, "usersUpdated"), 1, "{run:?}");
    assert_eq!(
        fixture.asked("GET", "users/delta?$select"),
        0,
        "the directory was read in full"
    );
    assert_eq!(fixture.asked("GET", "deletedItems"), 0);
    let reads = fixture.app.simulators.requests(fixture.app.id.uuid());
    let lists = reads.iter().filter(|it| {
        it.path.contains("/scim/") && it.path.contains("/Users?") && !it.path.contains("count=1")
    });
    assert!(
        lists.clone().all(|it| it.path.contains("lastModified")),
        "{:?}",
        lists.map(|it| &it.path).collect::<Vec<_>>()
    );
}

/// An expired delta link, an age of a week, deletions that a delta omits, and replays all produce
/// the correct result.
#[tokio::test]
async fn everything_is_read_again_when_changes_cannot_be_relied_on() {
    let mut fixture = settled().await;
    // The delta link has expired.
    fixture
        .app
        .edit(|outside| outside.world.behaviour.delta_tokens_expired = true);
    fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    let run = fixture.run().await;
    assert_eq!(
        (run.status, count(&run, "usersUpdated")),
        (RunStatus::Succeeded, 1),
        "{run:?}"
    );
    assert!(fixture.asked("GET", "users/delta?$select") > 0);
    fixture
        .app
        .edit(|outside| outside.world.behaviour.delta_tokens_expired = false);
    // The delta omits deletions: the count does not match.
    fixture
        .app
        .edit(|outside| outside.world.behaviour.delta_hides_deletions = true);
    fixture.run().await;
    assert!(
        fixture
            .app
            .simulators
            .delete_user(fixture.app.id.uuid(), fixture.id_of("Alan"))
    );
    let run = fixture.run().await;
    assert_eq!(count(&run, "usersDeactivated"), 1, "{run:?}");
    // The delta replays changes.
    fixture.app.edit(|outside| {
        outside.world.behaviour.delta_hides_deletions = false;
        outside.world.behaviour.delta_replays = true;
    });
    fixture.manager("Ada", Some("Grace"));
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(fixture.teams()["Grace Wright's team"], "Ada Grace*");
    // The last full read was a week ago.
    fixture.app.forget_requests();
    fixture
        .set(|state| state.read_in_full = state.read_in_full.map(|at| at - TimeDelta::days(6)))
        .await;
    fixture.run().await;
    assert!(fixture.asked("GET", "users/delta?$select") > 0);
    assert!(fixture.asked("GET", "deletedItems") > 0);
}

/// A page that fails is an error and never a missing user.
#[tokio::test]
async fn a_part_of_a_side_changes_nothing() {
    let mut fixture = settled().await;
    fixture.set(|state| state.read_in_full = None).await;
    fixture
        .app
        .fault("/v1.0/users/delta", FaultKind::BrokenJson, 1, 20);
    let run = fixture.run().await;
    assert_eq!((run.status, fixture.written()), (RunStatus::Failed, 0));
    fixture.app.clear_faults();
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    fixture.on_platform(|outside| outside.scim.behaviour.last_modified_filter = false);
    fixture
        .app
        .fault("/Users?", FaultKind::TruncatedPage, 1, 20);
    let run = fixture.run().await;
    assert_eq!(
        (run.status, fixture.written()),
        (RunStatus::Failed, 0),
        "{run:?}"
    );
}

/// An incomplete list must not cause deactivations.
#[tokio::test]
async fn who_is_only_missing_from_the_list_stays() {
    let mut fixture = settled().await;
    fixture.set(|state| state.read_in_full = None).await;
    fixture
        .app
        .fault("/v1.0/users/delta", FaultKind::TruncatedPage, 1, 1);
    let run = fixture.run().await;
    assert_eq!(
        (run.status, fixture.written()),
        (RunStatus::Failed, 0),
        "{run:?}"
    );
    fixture.app.clear_faults();
    assert_eq!(fixture.active_users().len(), 4);
}

async fn filtered(filters: Value) -> Vec<String> {
    let fixture = SyncFixture::small().await;
    fixture.person("Ada", |ada| ada.department = Some("Sales".to_owned()));
    fixture.person("Grace", |grace| {
        grace.department = Some("Sales".to_owned());
        grace.user_type = rollcall_simulators::world::UserType::Guest;
    });
    let run = fixture.active(|body| {
        body["filters"] = filters.clone();
        body["guests"] = filters.get("guests").cloned().unwrap_or(json!(true));
        body["filters"]
            .as_object_mut()
            .expect("not an object")
            .remove("guests");
    });
    assert_eq!(run.await.status, RunStatus::Succeeded);
    fixture.active_users()
}

/// Proves S3-29, S3-31, S3-32, S3-33, S3-35, C-30, S2-21: each filter separately, and all
/// together.
#[tokio::test]
async fn filters_choose_people() {
    assert_eq!(
        filtered(json!({"graph": "department eq 'Sales'"})).await,
        ["Ada", "Grace"]
    );
    assert_eq!(
        filtered(json!({"graph": "not(department eq 'Sales')"})).await,
        ["Alan", "Peter"]
    );
    assert_eq!(
        filtered(json!({"email": {"include": ["A"], "exclude": ["grace@"]}})).await,
        ["Ada", "Alan", "Peter"]
    );
    assert_eq!(
        filtered(json!({"guests": false})).await,
        ["Ada", "Alan", "Peter"]
    );
    let both = json!({"graph": "department eq 'Sales'", "email": {"exclude": ["grace"]}});
    assert_eq!(filtered(both).await, ["Ada"]);
}

/// Proves S3-33, S3-34 and S3-37: members of the selected groups are synced; the note of the run
/// lists a group that does not exist, and the others are used.
#[tokio::test]
async fn chosen_groups_choose_people() {
    let mut fixture = SyncFixture::small().await;
    let sales = fixture.group("Sales", &["Ada"]);
    let board = fixture.group("Board", &["Peter"]);
    fixture.group("Kitchen", &["Alan"]);
    let unknown = uuid::Uuid::from_u128(7);
    let run = fixture
        .active(|body| body["filters"] = json!({"groups": format!("{sales},{board} , {unknown}")}))
        .await;
    assert_eq!(fixture.active_users(), ["Ada", "Peter"]);
    assert!(
        run.note
            .is_some_and(|note| note.contains(&unknown.to_string()))
    );
    let teams: Vec<_> = fixture.teams().into_keys().collect();
    assert_eq!(teams, ["Board", "Peter Wright's team", "Sales"]);
    fixture.group("Sales", &["Ada", "Grace"]);
    fixture.run().await;
    assert_eq!(fixture.active_users(), ["Ada", "Grace", "Peter"]);
}

/// Platforms without some features, such as PATCH, bulk or filters, get the same result, and a
/// second run changes nothing.
#[tokio::test]
async fn lesser_platforms_end_the_same() {
    for without in [
        "bulk",
        "patch",
        "filter",
        "enterprise",
        "teams",
        "last_modified_filter",
    ] {
        let mut fixture = SyncFixture::small().await;
        fixture.on_platform(|outside| {
            let can = &mut outside.scim.behaviour;
            match without {
                "bulk" => can.bulk = false,
                "patch" => can.patch = false,
                "filter" => can.filter = false,
                "enterprise" => can.enterprise = false,
                "teams" => can.teams = false,
                _ => can.last_modified_filter = false,
            }
        });
        let run = fixture.active(|_| ()).await;
        assert_eq!(
            run.status,
            RunStatus::Succeeded,
            "without {without}: {run:?}"
        );
        fixture.person("Ada", |ada| {
            ada.mail = Some("countess@contoso.example".to_owned());
        });
        fixture.person("Alan", |alan| alan.account_enabled = false);
        let run = fixture.run().await;
        assert_eq!(
            run.status,
            RunStatus::Succeeded,
            "without {without}: {run:?}"
        );
        assert_eq!(
            fixture.users()["Ada"]["userName"],
            "countess@contoso.example"
        );
        fixture.app.forget_requests();
        let again = fixture.run().await;
        assert_eq!(
            (again.status, fixture.written()),
            (RunStatus::Succeeded, 0),
            "without {without}"
        );
        assert_eq!(
            fixture.active_users(),
            ["Ada", "Grace", "Peter"],
            "without {without}"
        );
    }
}
