//! Tests of the client against the simulated platform, and against one that misbehaves.

mod check;

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
use crate::http::testing::{Stub, Tenant, quick, reply};

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
    assert!(started.elapsed() >= std::time::Duration::from_millis(250));
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

/// Returns a platform with `users` as the Users set, two fields, and empty other sets.
async fn with_users(users: &'static str) -> Stub {
    Stub::start(move |request| {
        let body = if request.contains("/odata/v2/Users?") {
            users
        } else if request.contains("/odata/v2/UserFields") {
            FIELDS
        } else {
            NOTHING
        };
        reply(200, "", body)
    })
    .await
}

const NOTHING: &str = r#"{"@odata.count":0,"value":[]}"#;
const FIELDS: &str = r#"{"@odata.count":2,"value":[
    {"Id":"00000000-0000-0000-0000-0000000000f1","Title":"Score","Type":"Number"},
    {"Id":"00000000-0000-0000-0000-0000000000f2","Title":"Team","Type":0}]}"#;

#[tokio::test]
async fn camel_case_blanks_and_unknown_fields_are_understood() {
    let stub = with_users(
        r#"{"@odata.count":2,"value":[
            {"id":"00000000-0000-0000-0000-000000000001","loginName":"i:0#.f|membership|a@b.c",
             "title":"A","city":"  ","jobTitle":" CSM \"1\" ","novelty":[1],
             "userFieldValues":[{"fieldId":"00000000-0000-0000-0000-0000000000f1","value":12.5},
                                {"fieldId":"00000000-0000-0000-0000-0000000000f2","value":null}]},
            {"Id":"00000000-0000-0000-0000-000000000002",
             "LoginName":"c:0o.c|federateddirectoryclaimprovider|00000000-0000-0000-0000-0000000000aa",
             "Title":"A group","DirectoryObjectId":"00000000-0000-0000-0000-0000000000aa"}]}"#,
    )
    .await;
    let snapshot = snapshot(stubbed(&stub).read_all().await.expect("users not read"));
    let people = &snapshot.people;
    assert_eq!(people.ids, [UserId::new(Uuid::from_u128(1))]);
    assert_eq!(people.property(Property::City, 0), None);
    assert_eq!(people.property(Property::JobTitle, 0), Some("CSM \"1\""));
    let custom = |field| people.text(&Source::Custom(FieldId::new(Uuid::from_u128(field))), 0);
    assert_eq!((custom(0xf1), custom(0xf2)), (Some("12.5"), None));
    assert_eq!(snapshot.groups.len(), 1);
}

#[tokio::test]
async fn a_row_without_a_usable_id_is_named() {
    let stub = with_users(
        r#"{"@odata.count":2,"value":[
            {"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"},{"Id":"7","LoginName":"b"}]}"#,
    )
    .await;
    let error = stubbed(&stub)
        .read_all()
        .await
        .expect_err("a bad row was accepted");
    assert_eq!(
        error.to_string(),
        "row 2 of Users cannot be read: Id is \"7\", not a GUID"
    );
}

#[tokio::test]
async fn a_row_seen_twice_counts_once_and_the_hole_it_leaves_is_an_error() {
    let stub = with_users(
        r#"{"@odata.count":2,"value":[
            {"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"},
            {"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"}]}"#,
    )
    .await;
    let error = stubbed(&stub).read_all().await;
    assert!(
        matches!(
            error,
            Err(ApiError::Incomplete {
                set: "Users",
                expected: 2,
                found: 1
            })
        ),
        "{error:?}"
    );
    let asked = stub
        .requests()
        .iter()
        .filter(|r| r.contains("/Users"))
        .count();
    assert_eq!(asked, 2, "the set was not read exactly twice");
}

#[tokio::test]
async fn a_set_without_a_count_cannot_be_trusted() {
    let stub =
        with_users(r#"{"value":[{"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"}]}"#)
            .await;
    let error = stubbed(&stub)
        .read_all()
        .await
        .expect_err("a missing count was accepted");
    assert!(error.to_string().contains("@odata.count"), "{error}");
}

/// S4-132, S4-133, S4-136: enrol, unenrol, remove from the catalog; S4-134: each can be repeated.
#[tokio::test]
async fn a_group_is_introduced_enrolled_and_removed_and_repeating_is_harmless() {
    let tenant = Tenant::start(|_| {}).await;
    let learn = client(&tenant);
    let course = tenant
        .world
        .courses
        .iter()
        .find(|course| !course.deleted)
        .expect("no course");
    let (course, catalog) = (CourseId::new(course.id), CatalogId::new(course.catalog_id));
    let object = ObjectId::new(tenant.world.groups[0].id);
    assert_eq!(learn.find_group(object).await.expect("no result"), None);

    let claim = format!("c:0t.c|tenant|{object}");
    for _ in 0..2 {
        learn
            .add_group_to_catalog(catalog, object, &claim)
            .await
            .expect("not added");
    }
    let group = learn
        .find_group(object)
        .await
        .expect("no result")
        .expect("no such group");
    assert_eq!(group.login_name, claim);
    let login = group.login_name.as_str();
    let enrol = || learn.enrol_group(course, login);
    let first = enrol().await.expect("the first call failed");
    assert_eq!(first, Enrolment::Enrolled);
    let repeat = enrol().await.expect("the repeat failed");
    assert_eq!(repeat, Enrolment::AlreadyEnrolled);
    let roles = learn.group_roles(group.id).await.expect("roles not read");
    let expected = GroupRoles {
        courses: [course].into(),
        catalogs: [catalog].into(),
    };
    assert_eq!(roles, expected);

    let unenrol = || learn.unenrol_group(course, login, "Profile retracted");
    let first = unenrol().await.expect("the first call failed");
    assert_eq!(first, Unenrolment::Unenrolled);
    let repeat = unenrol().await.expect("the repeat failed");
    assert_eq!(repeat, Unenrolment::NotEnrolled);
    let remove = || learn.remove_group_from_catalog(catalog, login);
    let first = remove().await.expect("the first call failed");
    assert_eq!(first, CatalogRemoval::Removed);
    let repeat = remove().await.expect("the repeat failed");
    assert_eq!(repeat, CatalogRemoval::NotThere);
    let roles = learn.group_roles(group.id).await.expect("roles not read");
    assert_eq!(roles, GroupRoles::default());
}

/// C-08: the roles of groups show what a removal from a catalog would also remove.
#[tokio::test]
async fn a_group_row_of_the_user_list_is_marked_as_a_group() {
    let tenant = Tenant::start(|_| {}).await;
    let learn = client(&tenant);
    let catalog = CatalogId::new(tenant.world.catalogs[0].id);
    let object = ObjectId::new(tenant.world.groups[0].id);
    learn
        .add_group_to_catalog(catalog, object, "x")
        .await
        .expect("not added");
    let snapshot = snapshot(learn.read_all().await.expect("sets not read"));
    let [group] = &snapshot.groups[..] else {
        panic!("{:?}", snapshot.groups)
    };
    assert_eq!(group.object_id, Some(object));
    let [role] = &snapshot.group_roles[..] else {
        panic!("{:?}", snapshot.group_roles)
    };
    assert_eq!(role.user, group.id);
}

#[tokio::test]
async fn a_login_name_survives_the_path() {
    let tenant = Tenant::start(|world| {
        let course = world.enrolments[0].course_id;
        let learner = world.enrolments[0].lms_user_id;
        world
            .enrolments
            .retain(|row| row.course_id == course && row.lms_user_id == learner);
        let person = world.people.iter_mut().find(|p| p.lms_id == Some(learner));
        person.expect("no such learner").upn = "o'brien@contoso.com".into();
    })
    .await;
    let course = tenant.world.enrolments[0].course_id;
    let course = tenant
        .world
        .courses
        .iter()
        .find(|c| c.id == course)
        .expect("no course");
    let catalog = CatalogId::new(course.catalog_id);
    let login = "i:0#.f|membership|o'brien@contoso.com";
    let removed = client(&tenant)
        .remove_group_from_catalog(catalog, login)
        .await;
    assert_eq!(
        removed.expect("not found by its name"),
        CatalogRemoval::Removed
    );
    let key = "'i%3A0%23.f%7Cmembership%7Co%27%27brien%40contoso.com'";
    let path = format!("DELETE /learn365/odata/v2/CourseCatalogs({catalog})/Users({key})");
    assert_eq!(tenant.asked("/Users("), [path]);
}

/// S4-134: the platform's "already" is not an error.
#[tokio::test]
async fn an_enrolment_whose_answer_was_lost_is_repeated_without_harm() {
    let tenant = Tenant::start(|_| {}).await;
    let learn = client(&tenant);
    let course = tenant
        .world
        .courses
        .iter()
        .find(|course| !course.deleted)
        .expect("no course");
    let object = ObjectId::new(tenant.world.groups[0].id);
    let login = format!("c:0t.c|tenant|{object}");
    let catalog = CatalogId::new(course.catalog_id);
    learn
        .add_group_to_catalog(catalog, object, &login)
        .await
        .expect("not added");
    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once("/Enroll", FaultKind::LoseAnswer));
    let enrolled = learn
        .enrol_group(CourseId::new(course.id), &login)
        .await
        .expect("the repeat failed");
    assert_eq!(enrolled, Enrolment::AlreadyEnrolled);
}

#[tokio::test]
async fn a_refusal_that_only_sounds_like_already_is_a_failure() {
    let body = r#"{"error":{"code":"X","message":"The course has already ended."}}"#;
    let stub = Stub::start(move |_| reply(400, "", body)).await;
    let error = stubbed(&stub)
        .enrol_group(CourseId::new(Uuid::nil()), "x")
        .await;
    assert_eq!(error.expect_err("no failure").status(), Some(400));
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
