//! Tests of the client against the simulated platform, and against one that misbehaves.

mod busy;
mod check;
mod enrolments;
mod rows;

use rollcall_domain::base::text::clean;
use rollcall_domain::snapshot::format::SnapshotReader;
use rollcall_domain::snapshot::ingest::EntraSet;
use rollcall_domain::snapshot::lms::FieldKind;
use rollcall_domain::snapshot::{Header, Property, Snapshot, Source};
use rollcall_simulators::generate::lms_key;
use rollcall_simulators::world;
use rollcall_simulators::{Fault, FaultKind};
use uuid::Uuid;

use rollcall_domain::base::ids::{CatalogId, CourseId, FieldId, SnapshotId, TenantId};

use super::*;
use crate::http::testing::{Act, Stub, Tenant, quick, reply};

fn client(tenant: &Tenant) -> Learn365 {
    let key = Secret::new(lms_key(tenant.uuid()));
    Learn365::new(quick(), &tenant.simulators.learn365_url(), key).expect("invalid URL")
}

fn stubbed(stub: &Stub) -> Learn365 {
    Learn365::new(quick(), &stub.url, Secret::new("the-api-key")).expect("invalid URL")
}

/// Starts a tenant whose platform returns seven rows per page.
async fn paged() -> Tenant {
    Tenant::start(|world| world.behaviour.page_size = 7).await
}

fn status(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: None,
        body: None,
    }
}

/// Builds the snapshot of a tenant that was never read before.
fn snapshot(sets: Sets) -> Snapshot {
    let taken_at = chrono::DateTime::UNIX_EPOCH;
    let header = Header {
        id: SnapshotId::new(taken_at, Uuid::nil()),
        tenant: TenantId::new(Uuid::nil()),
        taken_at,
    };
    let built = sets.into_snapshot(header, EntraSet::default(), None::<&SnapshotReader<'_>>);
    built.snapshot
}

async fn read_with(kind: FaultKind, path: &str, from: u32, times: u32) -> Result<Sets, ApiError> {
    let tenant = paged().await;
    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once(path, kind).at(from, times));
    client(&tenant).read_all().await
}

/// S4-098: all pages of the six sets are read.
#[tokio::test]
async fn the_six_sets_arrive_whole() {
    let tenant = paged().await;
    let sets = client(&tenant).read_all().await.expect("sets not read");
    let world = &tenant.world;
    let learners = world.people.iter().filter_map(|person| person.lms_id);
    let mut learners: Vec<UserId> = learners.map(UserId::new).collect();
    learners.sort();
    assert_eq!(
        sets.courses.len(),
        world.courses.iter().filter(|c| !c.deleted).count()
    );
    assert_eq!(sets.catalogs.len(), world.catalogs.len());
    assert_eq!(sets.users.len(), learners.len());
    assert_eq!(sets.fields.len(), world.fields.len() + 7);
    let snapshot = snapshot(sets);
    assert_eq!(snapshot.enrolments.len(), world.enrolments.len() as u64);
    assert_eq!(snapshot.people.ids, learners);
    assert!(tenant.asked("/odata/v2/RoleAssignments").len() > 2);
}

/// S4-098: no value of a row is lost.
#[tokio::test]
async fn a_row_carries_what_the_platform_knows() {
    let tenant = paged().await;
    let snapshot = snapshot(client(&tenant).read_all().await.expect("sets not read"));
    let people = &snapshot.people;
    let row_of = |id: Uuid| people.row(UserId::new(id)).expect("no such row");
    for person in &tenant.world.people {
        let Some(row) = person.lms_id.map(row_of) else {
            continue;
        };
        let object = people.object_ids[row as usize].map(ObjectId::uuid);
        assert_eq!(object, person.object_id);
        let text = |text: &Option<String>| text.as_deref().and_then(clean);
        for (property, expected) in [
            (Property::City, text(&person.city)),
            (Property::JobTitle, text(&person.job_title)),
            (Property::Email, text(&person.mail)),
            (Property::Title, clean(&person.display_name)),
        ] {
            assert_eq!(people.property(property, row), expected.as_deref());
        }
        for (field, value) in &person.custom {
            let source = Source::Custom(FieldId::new(*field));
            assert_eq!(people.text(&source, row), clean(value).as_deref());
        }
    }
    for row in &tenant.world.enrolments {
        let course = CourseId::new(row.course_id);
        let activity = snapshot
            .enrolments
            .activity(course, row_of(row.lms_user_id));
        let activity = activity.expect("no enrolment");
        let completed = row.completed_at.map(|at| at.timestamp() * 1_000);
        assert!(activity.last_completed >= completed, "{activity:?} {row:?}");
        let open = row.status != world::Progress::Completed && row.due_at.is_some();
        assert!(!open || activity.open_due.is_some(), "{activity:?} {row:?}");
    }
}

#[tokio::test]
async fn the_first_page_asks_for_the_count_and_the_key_is_the_password() {
    let tenant = paged().await;
    client(&tenant).read_all().await.expect("sets not read");
    let users = tenant.asked("/odata/v2/Users");
    assert!(users.len() > 2, "{users:?}");
    assert_eq!(
        users[0],
        "GET /learn365/odata/v2/Users?$count=true&$expand=UserFieldValues"
    );
    let stub = Stub::start(|_| reply(401, "", "")).await;
    let error = stubbed(&stub)
        .read_all()
        .await
        .expect_err("an unknown key was accepted");
    assert!(error.is_auth());
    // Base64 of "api:the-api-key".
    assert!(stub.requests()[0].contains("authorization: Basic YXBpOnRoZS1hcGkta2V5"));
}

#[tokio::test]
async fn enumerations_as_numbers_mean_the_same_as_names() {
    let named = Tenant::start(|_| {}).await;
    let numbered = Tenant::start(|world| world.behaviour.enums_as_numbers = true).await;
    let by_name = snapshot(client(&named).read_all().await.expect("names not read"));
    let by_number = snapshot(client(&numbered).read_all().await.expect("numbers"));
    assert_eq!(by_name, by_number);
    assert!(
        by_name
            .fields
            .iter()
            .any(|field| field.kind == FieldKind::Date)
    );
    assert!(
        by_name
            .enrolments
            .iter()
            .any(|(_, each)| !each.completed.is_empty())
    );
}

#[tokio::test]
async fn a_throttled_page_is_asked_for_again_after_the_wait_it_names() {
    let started = Instant::now();
    let throttled = FaultKind::Status {
        code: 429,
        retry_after: Some(0.25),
        body: None,
    };
    read_with(throttled, "$skip=7", 1, 1)
        .await
        .expect("the second attempt failed");
    assert!(started.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn a_server_error_or_a_broken_connection_is_tried_again() {
    read_with(status(500), "/Enrollments", 2, 2)
        .await
        .expect("the third attempt failed");
    read_with(FaultKind::Drop, "/Users", 2, 1)
        .await
        .expect("the second attempt failed");
}

/// S4-100: a failure of one page fails the whole reading.
#[tokio::test]
async fn a_second_page_that_keeps_failing_fails_the_whole() {
    let error = read_with(status(503), "/Users?", 2, u32::MAX)
        .await
        .expect_err("a missing page was accepted");
    assert_eq!(error.status(), Some(503));
    assert!(error.is_transient());
    let error = read_with(FaultKind::Drop, "/RoleAssignments", 2, u32::MAX).await;
    assert!(
        matches!(error, Err(ApiError::Transport { .. })),
        "{error:?}"
    );
}

/// S4-100: a truncated page does not result in a smaller set.
#[tokio::test]
async fn a_truncated_page_is_read_once_more_and_then_an_error() {
    read_with(FaultKind::TruncatedPage, "/Users", 1, 1)
        .await
        .expect("the second attempt failed");
    let error = read_with(FaultKind::TruncatedPage, "/Enrollments", 1, u32::MAX).await;
    let Err(ApiError::Incomplete {
        set: "Enrollments",
        expected,
        found,
    }) = error
    else {
        panic!("{error:?}");
    };
    assert!(found < expected, "{found} of {expected}");
}

/// S4-100: an empty response does not mean that all users left.
#[tokio::test]
async fn no_users_at_all_is_an_error() {
    let error = read_with(FaultKind::EmptyPage, "/Users", 1, u32::MAX).await;
    assert!(
        matches!(
            error,
            Err(ApiError::Incomplete {
                set: "Users",
                found: 0,
                ..
            })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn broken_json_is_an_error_that_shows_no_data() {
    let error = read_with(FaultKind::BrokenJson, "/Users", 1, u32::MAX)
        .await
        .expect_err("no error");
    assert!(matches!(error, ApiError::Decode { .. }), "{error:?}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains('@') && shown.len() < 400, "{shown}");
}

#[tokio::test]
async fn a_platform_that_does_not_answer_is_a_timeout() {
    let error = read_with(FaultKind::Delay { ms: 1_500 }, "/Courses", 1, u32::MAX).await;
    assert!(matches!(error, Err(ApiError::Timeout { .. })), "{error:?}");
}

/// F-1: with a circuit breaker a platform that hangs costs two timeouts, and further calls return at
/// once. Without one, which is how sets are read, every attempt is made.
#[tokio::test]
async fn a_circuit_breaker_stops_calls_to_a_platform_that_hangs() {
    let hanging = Stub::start(|_| Act::Silence).await;
    let key = Secret::new("key");
    let learn = Learn365::new(quick(), &hanging.url, key).expect("no client");
    let learn = learn.with_circuit_breaker();
    for _ in 0..20 {
        let object = ObjectId::new(Uuid::nil());
        let error = learn.find_group(object).await.expect_err("an answer");
        assert!(error.is_deferral(), "{error:?}");
    }
    assert_eq!(hanging.requests().len(), 2);
    assert!(learn.suspended_for().is_some());
}

/// A request does not outlast the deadline of the invocation, and that is no failure.
#[tokio::test]
async fn a_request_ends_at_the_deadline() {
    let tenant = Tenant::start(|_| {}).await;
    let hang = Fault::once("/odata/v2", FaultKind::Delay { ms: 60_000 }).at(1, u32::MAX);
    tenant.simulators.add_fault(tenant.uuid(), hang);
    let learn = client(&tenant).with_circuit_breaker();
    let learn = learn.with_deadline(Instant::now() + Duration::from_millis(300));
    let error = learn.find_group(ObjectId::new(Uuid::nil())).await;
    let error = error.expect_err("an answer");
    assert!(error.is_deferral(), "{error:?}");
    assert_eq!(learn.suspended_for(), None, "the platform is blamed");
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let elsewhere = Stub::start(|_| reply(200, "", "{}")).await;
    let host = elsewhere.url.clone();
    let tenant = Tenant::start(move |world| {
        world.behaviour.page_size = 7;
        world.behaviour.nextlink_host = Some(host);
    })
    .await;
    let error = client(&tenant)
        .read_all()
        .await
        .expect_err("a foreign link was followed");
    let ApiError::ForeignLink { found_host, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(found_host, &elsewhere.url);
    assert!(elsewhere.requests().is_empty());
}

/// The futures are `Send`, so they can be spawned.
#[tokio::test]
async fn the_calls_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let tenant = Tenant::start(|_| {}).await;
    let learn = client(&tenant);
    is_send(learn.read_all()).await.expect("sets not read");
    is_send(learn.verify_key(None)).await;
    is_send(learn.find_group(ObjectId::new(Uuid::nil())))
        .await
        .expect("no result");
}
