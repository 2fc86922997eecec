//! The data refresh: complete or without effect, once per slot, with notices.

pub(crate) mod memory;
mod starts;

use std::time::Duration;

use rollcall_clients::objects;
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_clients::store::{Lease, REFRESH_LEASE};
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::run::{RunStatus, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::notices::NoticeKind;
use rollcall_domain::snapshot::{Lineage, Snapshot, format};
use rollcall_runtime::events::Tick;
use rollcall_simulators::FaultKind;
use rollcall_simulators::world::FieldKind;

use uuid::Uuid;

use crate::harness::{CONTACT, TestApp, TestTenant, counts};

fn failure(kinds: &[NoticeKind]) -> &NoticeKind {
    kinds
        .iter()
        .find(|kind| matches!(kind, NoticeKind::Failure { .. }))
        .expect("no notice of a failure")
}

/// Returns the current snapshot.
async fn stored(app: &TestApp) -> (SnapshotPointer, Snapshot) {
    let pointer = app.services.store.snapshot_pointer(app.id).await;
    let pointer = pointer.expect("pointer not read").expect("no pointer");
    let bytes = app.services.objects.get(&pointer.key).await;
    let snapshot = format::decode(&bytes.expect("not stored")).expect("not decoded");
    (pointer, snapshot)
}

/// Proves S4-097, S4-098 and S4-099: all six sets, every page, and the schema.
#[tokio::test]
async fn all_six_sets_are_read_and_stored() {
    let tenant = TestTenant::small()
        .field("Hire Date", FieldKind::DateTime)
        .person("Barbara", "Lyon")
        .behaving(|behaviour| behaviour.page_size = 2);
    let mut app = TestApp::of(tenant.completed("Ada", "Security 101", chrono::Utc::now())).await;
    let run = app.refresh().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    let expected = [
        ("people", 4),
        ("courses", 2),
        ("catalogs", 1),
        ("enrolments", 1),
    ];
    for (name, count) in expected {
        assert_eq!(run.counts[name], count, "{name}");
    }
    let (pointer, snapshot) = stored(&app).await;
    assert_eq!(snapshot.people.count(), 4);
    assert!(
        snapshot
            .fields
            .iter()
            .any(|field| field.title == "Hire Date")
    );
    let schema = app
        .services
        .objects
        .get(&objects::schema_key(app.id, &pointer.id))
        .await
        .expect("not stored");
    let schema: serde_json::Value = serde_json::from_slice(&schema).expect("invalid JSON");
    assert_eq!(schema["dates"][0]["label"], "Hire Date");
    assert_eq!(schema["properties"].as_array().map(Vec::len), Some(8));
    let asked: Vec<_> = app
        .simulators
        .requests(app.id.uuid())
        .into_iter()
        .map(|request| request.path)
        .collect();
    for set in [
        "Courses",
        "CourseCatalogs",
        "Users",
        "UserFields",
        "Enrollments",
        "RoleAssignments",
    ] {
        assert!(
            asked
                .iter()
                .any(|path| path.contains(&format!("/odata/v2/{set}"))),
            "{set} was not read"
        );
    }
}

/// Proves S4-100: after any error while reading, the last valid data remains, and the contact is
/// notified.
#[tokio::test]
async fn a_refresh_that_is_not_complete_replaces_nothing() {
    let mut app =
        TestApp::ready(TestTenant::small().behaving(|behaviour| behaviour.page_size = 2)).await;
    let before = app
        .services
        .store
        .snapshot_pointer(app.id)
        .await
        .expect("pointer not read");
    let unavailable = FaultKind::Status {
        code: 503,
        retry_after: Some(0.0),
        body: None,
    };
    let cases = [
        ("a 503 on page 2 of Users", "Users?", unavailable, 2, 50),
        (
            "a truncated page",
            "Users?",
            FaultKind::TruncatedPage,
            1,
            50,
        ),
        (
            "an empty Users answer",
            "Users?",
            FaultKind::EmptyPage,
            1,
            50,
        ),
        ("broken JSON", "Enrollments", FaultKind::BrokenJson, 1, 50),
    ];
    for (name, path, kind, from, times) in cases {
        app.fault(path, kind, from, times);
        let run = app.refresh().await;
        assert_eq!(run.status, RunStatus::Failed, "{name}: {run:?}");
        assert_eq!(
            app.services
                .store
                .snapshot_pointer(app.id)
                .await
                .expect("pointer not read"),
            before,
            "{name}"
        );
        let told = app.notices().await;
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert_eq!(told[0].recipients, [CONTACT]);
        let NoticeKind::Failure { consequence, .. } = &told[0].about else {
            panic!("{told:?}")
        };
        assert!(
            consequence.contains("stays in use"),
            "{name}: {consequence}"
        );
        app.simulators.clear_faults(app.id.uuid());
    }
    assert_eq!(app.refresh().await.status, RunStatus::Succeeded);
}

/// Proves S4-100 for the plausibility check: data with half of the users missing is rejected until
/// an administrator accepts it.
#[tokio::test]
async fn a_tenant_that_shrank_suspiciously_is_not_believed() {
    let mut app = TestApp::ready(TestTenant::crowd(40)).await;
    app.edit(|outside| outside.world.people.truncate(10));
    let run = app.refresh().await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(
        run.error
            .as_deref()
            .is_some_and(|error| error.contains("Users went from 40 to 10")),
        "{run:?}"
    );
    accept(&mut app).await;
}

/// Returns the error of the next refresh, which must fail.
async fn refused(app: &mut TestApp) -> String {
    let before = app.services.store.snapshot_pointer(app.id).await;
    let run = app.refresh().await;
    assert_eq!(run.status, RunStatus::Failed, "{run:?}");
    let after = app.services.store.snapshot_pointer(app.id).await;
    assert_eq!(after.expect("not read"), before.expect("not read"));
    run.error.expect("no reason")
}

/// Executes a refresh for which an administrator accepts other data.
async fn accept(app: &mut TestApp) {
    let mut request = app.request(Job::Refresh);
    request.trigger = Trigger::Manual {
        by: "ada@contoso.example".to_owned(),
        user: None,
        display_name: None,
        accept_smaller_data: true,
    };
    app.work(&request).await.expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
}

/// Proves F-2: a set that is empty once is not believed, whatever its size; the courses stay
/// selected and enrolled.
#[tokio::test]
async fn a_small_set_that_is_empty_is_not_believed() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.maintained().await;
    for set in [
        "/Courses",
        "/CourseCatalogs",
        "/Enrollments",
        "/RoleAssignments",
    ] {
        app.fault(set, FaultKind::EmptyPage, 1, 50);
        let run = app.refresh().await;
        // A set that was empty before may be empty.
        if set != "/Enrollments" {
            let error = run.error.unwrap_or_default();
            assert!(error.contains("to 0 rows"), "{set}: {error}");
        }
        app.clear_faults();
        app.maintained().await;
        assert!(!app.profile("Denver").await.courses.is_empty(), "{set}");
        assert_eq!(app.enrolled("Denver"), ["Security 101"], "{set}");
    }
}

/// Proves F-8: the data of another instance of the same organisation, with as many users, is not
/// believed until an administrator accepts it, who sees the figures. The members do not change.
#[tokio::test]
async fn the_data_of_another_instance_is_not_believed() {
    let mut app = TestApp::ready(TestTenant::crowd(40)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    let before = app.members("Denver");
    app.edit(|outside| {
        for person in outside.world.people.iter_mut().take(30) {
            person.lms_id = Some(Uuid::new_v4());
        }
    });
    let error = refused(&mut app).await;
    assert!(
        error.contains("Only 10 of 40 Users of the data in use are among the 40 now"),
        "{error}"
    );
    assert!(error.contains("another Learn365 instance"), "{error}");
    app.maintained().await;
    assert_eq!(app.members("Denver"), before);
    accept(&mut app).await;
    assert_eq!(app.refresh().await.status, RunStatus::Succeeded);
}

/// Proves F-2: losses add up over a day, and the acceptance by an administrator begins anew.
#[tokio::test]
async fn several_losses_on_one_day_are_one_loss() {
    let mut app = TestApp::ready(TestTenant::crowd(100)).await;
    for people in [70, 50] {
        app.edit(|outside| outside.world.people.truncate(people));
        assert_eq!(app.refresh().await.status, RunStatus::Succeeded);
    }
    app.edit(|outside| outside.world.people.truncate(40));
    let error = refused(&mut app).await;
    assert!(error.contains("Users went from 100 to 40 rows"), "{error}");
    accept(&mut app).await;
    app.edit(|outside| outside.world.people.truncate(30));
    assert_eq!(app.refresh().await.status, RunStatus::Succeeded);
}

/// Proves S4-100 for values: a column that is suddenly empty for all users is caused by a lost
/// permission and is rejected.
#[tokio::test]
async fn values_that_vanish_are_not_believed() {
    let mut app = TestApp::ready(TestTenant::crowd(40)).await;
    app.edit(|outside| {
        outside
            .world
            .people
            .iter_mut()
            .for_each(|person| person.city = None);
    });
    let run = app.refresh().await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(
        run.error
            .as_deref()
            .is_some_and(|error| error.contains("a value of city")),
        "{run:?}"
    );
}

/// Proves S4-101: one tenant's failure does not stop another's refresh.
#[tokio::test]
async fn tenants_fail_alone() {
    let (mut broken, mut fine) = (
        TestApp::of(TestTenant::small()).await,
        TestApp::of(TestTenant::small()).await,
    );
    broken.fault("Users", FaultKind::BrokenJson, 1, 50);
    let requests = [broken.request(Job::Refresh), fine.request(Job::Refresh)];
    let records: Vec<_> = requests
        .iter()
        .enumerate()
        .map(|(number, request)| serde_json::json!({"messageId": number.to_string(), "body": serde_json::to_string(request).expect("not serialized")}))
        .chain([serde_json::json!({"messageId": "garbage", "body": "{\"job\": 7}"})])
        .collect();
    let event = serde_json::json!({"Records": records});
    // Both tenants share table and bucket; only the queues differ, and a refresh reads none.
    let deadline = rollcall_runtime::Deadline::after(Duration::from_mins(1));
    let answer = Box::pin(rollcall_refresh_job::handle(
        &fine.services,
        event,
        deadline,
    ))
    .await
    .expect("not handled");
    assert_eq!(
        answer["batchItemFailures"],
        serde_json::json!([{"itemIdentifier": "garbage"}])
    );
    assert_eq!(broken.run(&requests[0]).await.status, RunStatus::Failed);
    assert_eq!(fine.run(&requests[1]).await.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn entra_properties_are_read_when_settings_name_them() {
    let mut app = TestApp::of(TestTenant::small()).await;
    app.edit(|outside| outside.world.people[0].employee_id = Some("E-77".to_owned()));
    let tenant = app.tenant().await;
    let mut settings = tenant.settings.clone();
    settings.entra_properties = ["employeeId".to_owned()].into();
    app.services
        .store
        .save_settings(app.id, &settings, Some(tenant.version))
        .await
        .expect("settings rejected");
    let run = app.refresh().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    let (_, snapshot) = stored(&app).await;
    let source = rollcall_domain::snapshot::Source::Entra("employeeId".to_owned());
    let known: Vec<_> = snapshot.people.texts[&source].dictionary().iter().collect();
    assert_eq!(known, ["E-77"]);
}

/// Rows refer to the same users in the next refresh, and only users with changes are marked.
#[tokio::test]
async fn rows_are_carried_over_between_refreshes() {
    let mut app = TestApp::ready(TestTenant::crowd(40)).await;
    let (_, first) = stored(&app).await;
    let gone = first.people.row(app.user("P0003")).expect("no such row");
    let moved = first.people.row(app.user("P0007")).expect("no such row");
    app.edit(|outside| {
        outside.world.people[7].city = Some("Reykjavík".to_owned());
        outside.world.people.remove(3);
    });
    assert_eq!(app.refresh().await.status, RunStatus::Succeeded);
    let (pointer, second) = stored(&app).await;
    assert_eq!(second.people.lineage.first, first.header.id);
    assert_eq!(second.people.lineage.step, 1);
    assert_eq!(second.people.ids, first.people.ids);
    assert!(!second.people.living.contains(gone));
    let changed: Vec<u32> = second.people.changed_since(0).iter().collect();
    let mut expected = vec![gone, moved];
    expected.sort_unstable();
    assert_eq!(changed, expected);

    let garbage = b"not a snapshot".to_vec();
    let put = app
        .services
        .objects
        .put(&pointer.key, "text/plain", garbage);
    put.await.expect("not stored");
    assert_eq!(app.refresh().await.status, RunStatus::Succeeded);
    let (_, third) = stored(&app).await;
    assert_eq!(
        third.people.lineage,
        Lineage::begin(third.header.id.clone())
    );
    assert_eq!((third.people.rows(), third.people.count()), (39, 39));
}

/// Returns the deadline of a test.
fn soon_over() -> rollcall_runtime::Deadline {
    rollcall_runtime::Deadline::after(Duration::from_mins(1))
}
