//! Tests of groups and users in catalogs and courses.

use super::*;

/// Makes everything accepted by Learn365 visible without waiting.
fn a_minute_passes(site: &Site) {
    let earlier = std::time::Duration::from_mins(1);
    site.simulators.edit(TENANT, |state| {
        let groups = state.lms_groups.iter_mut().map(|row| &mut row.visible_at);
        let users = state
            .catalog_users
            .iter_mut()
            .map(|row| &mut row.visible_at);
        groups.chain(users).for_each(|at| *at -= earlier);
    });
}

#[tokio::test]
async fn a_group_goes_through_catalog_and_course_and_out_again() {
    let site = Site::with(|world| world.behaviour.lms_accept_delay_ms = 60_000).await;
    let (catalog, course, elsewhere) = courses(&site.state().world);
    let group = site.group("rollcall-1").await;
    let add = json!({"LoginName": "", "DirectoryObjectId": group});
    let users = format!("CourseCatalogs({catalog})/Users");
    assert_eq!(
        site.lms(Method::POST, &users, Some(add.clone())).await.0,
        202
    );
    let by_object = format!("Users?$filter=DirectoryObjectId eq {group}");
    assert!(
        rows(&get(&site, &by_object).await).is_empty(),
        "accepted, not yet visible"
    );
    a_minute_passes(&site);
    let body = get(&site, &by_object).await;
    let row = &rows(&body)[0];
    assert_eq!(row["PrincipalType"], "SecurityGroup");
    assert_eq!(row["LoginName"], json!(format!("c:0t.c|tenant|{group}")));
    assert_eq!(
        site.lms(Method::POST, &users, Some(add)).await.0,
        202,
        "adding again is not an error"
    );

    let login = json!({"userLoginName": row["LoginName"], "ignoreMaxAttendees": true});
    let enroll = format!("Courses({course})/Enroll");
    let (status, body) = site.lms(Method::POST, &enroll, Some(login.clone())).await;
    assert_eq!((status, &body["UserId"]), (201, &row["Id"]));
    let (status, body) = site.lms(Method::POST, &enroll, Some(login.clone())).await;
    assert_eq!(status, 400);
    assert!(error(&body).1.contains("already enrolled"), "{body}");
    let other = format!("Courses({elsewhere})/Enroll");
    assert_eq!(
        site.lms(Method::POST, &other, Some(login.clone())).await.0,
        400,
        "other catalog"
    );

    let roles = format!(
        "RoleAssignments?$filter=UserId eq {}&$expand=User($select=PrincipalType)",
        row["Id"].as_str().expect("an id")
    );
    let body = get(&site, &roles).await;
    let scopes: Vec<&Value> = rows(&body).iter().map(|it| &it["RoleScope"]).collect();
    assert!(scopes.contains(&&json!({"CourseId": course, "CatalogId": null})));
    assert!(scopes.contains(&&json!({"CourseId": null, "CatalogId": catalog})));
    assert!(
        rows(&body)
            .iter()
            .all(|it| it["User"] == json!({"PrincipalType": "SecurityGroup"}))
    );
    assert!(site.state().is_group_enrolled(group, course));

    let encoded = percent(row["LoginName"].as_str().expect("a login"));
    let remove = format!("{users}('{encoded}')");
    assert_eq!(site.lms(Method::DELETE, &remove, None).await.0, 204);
    assert!(
        rows(&get(&site, &roles).await).is_empty(),
        "unenrolled with the catalog"
    );
    let (status, body) = site.lms(Method::DELETE, &remove, None).await;
    assert_eq!((status, error(&body).0), (404, "NotFound"));
}

#[tokio::test]
async fn unenrolling_and_unknown_things() {
    let site = Site::new().await;
    let (catalog, course, _) = courses(&site.state().world);
    let group = site.group("rollcall-1").await;
    let login = json!({"userLoginName": format!("c:0t.c|tenant|{group}")});
    let enroll = format!("Courses({course})/Enroll");
    let unenroll = format!("Courses({course})/Unenroll");
    let (status, _) = site.lms(Method::POST, &enroll, Some(login.clone())).await;
    assert_eq!(status, 400, "the group is not known to Learn365 yet");
    let users = format!("CourseCatalogs({catalog})/Users");
    let add = json!({"LoginName": "x", "DirectoryObjectId": group});
    assert_eq!(site.lms(Method::POST, &users, Some(add)).await.0, 202);
    let (status, body) = site.lms(Method::POST, &unenroll, Some(login.clone())).await;
    assert_eq!(status, 400);
    assert!(error(&body).1.contains("not enrolled"), "{body}");
    assert_eq!(
        site.lms(Method::POST, &enroll, Some(login.clone())).await.0,
        201
    );
    assert_eq!(
        site.lms(Method::POST, &unenroll, Some(login.clone()))
            .await
            .0,
        204
    );
    assert!(!site.state().is_group_enrolled(group, course));

    let nowhere = Uuid::nil();
    let path = format!("Courses({nowhere})/Enroll");
    assert_eq!(site.lms(Method::POST, &path, Some(login)).await.0, 404);
    let add = json!({"LoginName": "x", "DirectoryObjectId": nowhere});
    assert_eq!(
        site.lms(Method::POST, &users, Some(add.clone())).await.0,
        404,
        "not in Entra"
    );
    let path = format!("CourseCatalogs({nowhere})/Users");
    let (status, body) = site.lms(Method::POST, &path, Some(add)).await;
    assert_eq!((status, error(&body).0), (404, "NotFound"));
}

#[tokio::test]
async fn people_can_be_enrolled_one_by_one() {
    let site = Site::with(|world| world.enrolments.clear()).await;
    let state = site.state();
    let (catalog, course, _) = courses(&state.world);
    let person = state
        .world
        .people
        .iter()
        .find(|it| it.lms_id.is_some())
        .expect("a learner");
    let login = json!({"userLoginName": person.login_name()});
    let enroll = format!("Courses({course})/Enroll");
    let (status, body) = site.lms(Method::POST, &enroll, Some(login.clone())).await;
    assert_eq!(
        (status, &body["CoursePassingStatus"]),
        (201, &json!("NotStarted"))
    );
    assert_eq!(site.lms(Method::POST, &enroll, Some(login)).await.0, 400);
    assert_eq!(rows(&get(&site, "Enrollments").await).len(), 1);
    assert_eq!(rows(&get(&site, "RoleAssignments").await).len(), 1);
    let remove = format!(
        "CourseCatalogs({catalog})/Users('{}')",
        percent(&person.login_name())
    );
    assert_eq!(site.lms(Method::DELETE, &remove, None).await.0, 204);
    assert!(rows(&get(&site, "Enrollments").await).is_empty());
}
