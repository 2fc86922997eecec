//! Tests of adding, enrolling and removing groups.

use rollcall_simulators::world::Course;

use super::*;

/// Returns the first course of the tenant that is not deleted.
fn first_course(tenant: &Tenant) -> &Course {
    let mut courses = tenant.world.courses.iter();
    courses.find(|course| !course.deleted).expect("no course")
}

/// S4-132, S4-133, S4-136: enrol, unenrol, remove from the catalog; S4-134: each can be repeated.
#[tokio::test]
async fn a_group_is_introduced_enrolled_and_removed_and_repeating_is_harmless() {
    let tenant = Tenant::start(|_| {}).await;
    let learn = client(&tenant);
    let course = first_course(&tenant);
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
    let course = first_course(&tenant);
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
