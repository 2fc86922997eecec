//! Tests of Learn365: keys, sets, catalog membership and enrolment.

mod enrolments;

use std::collections::HashSet;

use reqwest::Method;
use rollcall_simulators::World;
use rollcall_simulators::world::{KeyLevel, LmsKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::site::{Site, TENANT, error, read};

async fn get(site: &Site, path: &str) -> Value {
    let (status, body) = site.lms(Method::GET, path, None).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

fn rows(body: &Value) -> &[Value] {
    body["value"].as_array().expect("rows")
}

/// Returns a catalog, one of its live courses, and a course of another catalog.
fn courses(world: &World) -> (Uuid, Uuid, Uuid) {
    let catalog = world.catalogs[0].id;
    let live = |same: bool| {
        let mut courses = world.courses.iter();
        let found = courses.find(|it| !it.deleted && (it.catalog_id == catalog) == same);
        found.expect("a course").id
    };
    (catalog, live(true), live(false))
}

#[tokio::test]
async fn keys_open_their_tenant_as_far_as_they_go() {
    let mut site = Site::with(|world| {
        let key = LmsKey {
            key: "simulated-reader".into(),
            level: KeyLevel::ReadOnly,
        };
        world.lms_keys.push(key);
        world.lms_keys.push(LmsKey {
            key: "simulated-revoked".into(),
            level: KeyLevel::Revoked,
        });
    })
    .await;
    let (_, course, _) = courses(&site.state().world);
    site.key = "simulated-reader".into();
    get(&site, "Courses").await;
    let body = json!({"userLoginName": "nobody"});
    let enroll = format!("Courses({course})/Enroll");
    let (status, answer) = site.lms(Method::POST, &enroll, Some(body.clone())).await;
    assert_eq!((status, error(&answer).0), (403, "Forbidden"));
    for refused in ["wrong", "simulated-revoked"] {
        site.key = refused.into();
        assert_eq!(site.lms(Method::GET, "Courses", None).await.0, 401);
    }
    site.key = rollcall_simulators::generate::lms_key(TENANT);
    assert_eq!(
        site.lms(Method::POST, &enroll, Some(body)).await.0,
        400,
        "a full-control key passes authorisation"
    );
}

#[tokio::test]
async fn six_sets_page_completely_by_next_link() {
    let site = Site::with(|world| world.behaviour.page_size = 7).await;
    for set in [
        "Courses",
        "CourseCatalogs",
        "Users",
        "UserFields",
        "Enrollments",
        "RoleAssignments",
    ] {
        let mut ids = HashSet::new();
        let mut next = Some(format!(
            "{}/odata/v2/{set}?$count=true",
            site.simulators.learn365_url()
        ));
        let mut total = 0;
        while let Some(url) = next {
            let request = site.client.get(url).basic_auth("", Some(&site.key));
            let (status, body) = read(request.send().await.expect("a response")).await;
            assert_eq!(status, 200, "{body}");
            total = body["@odata.count"]
                .as_u64()
                .expect("a count on every page");
            assert!(rows(&body).len() <= 7);
            ids.extend(rows(&body).iter().map(|row| row["Id"].to_string()));
            next = body["@odata.nextLink"].as_str().map(str::to_owned);
        }
        assert!(total > 0, "{set}");
        assert_eq!(ids.len() as u64, total, "{set}");
        let (_, count) = site.lms(Method::GET, &format!("{set}/$count"), None).await;
        assert_eq!(count, json!(total), "{set}");
    }
}

#[tokio::test]
async fn top_and_skip_cut_any_window() {
    let site = Site::new().await;
    let all = get(&site, "Users").await;
    let window = get(&site, "Users?$top=5&$skip=10").await;
    assert_eq!(rows(&window), &rows(&all)[10..15]);
    let rest = get(&site, "Users?$skip=1000").await;
    assert_eq!((rows(&rest).len(), rest.get("@odata.nextLink")), (0, None));
    assert_eq!(site.lms(Method::GET, "Users?$top=x", None).await.0, 400);
}

#[tokio::test]
async fn users_carry_system_and_custom_values() {
    let site = Site::new().await;
    let fields = get(&site, "UserFields").await;
    let predefined = rows(&fields).iter().filter(|it| it["IsPredefined"] == true);
    let titles: Vec<&str> = predefined.filter_map(|it| it["Title"].as_str()).collect();
    let expected = [
        "Job Title",
        "Department",
        "Office",
        "Company",
        "City",
        "Country",
        "Manager",
    ];
    assert_eq!(titles, expected);
    let hire = rows(&fields)
        .iter()
        .find(|it| it["Title"] == "Hire Date")
        .expect("the column");
    assert_eq!(hire["Type"], "DateTime");

    let plain = get(&site, "Users?$top=1").await;
    assert!(rows(&plain)[0].get("UserFieldValues").is_none());
    let body = get(&site, "Users?$expand=UserFieldValues").await;
    let person = &site
        .state()
        .world
        .people
        .into_iter()
        .find(|it| it.lms_id.is_some() && it.company.is_some());
    let person = person.as_ref().expect("a user with a company");
    let row = rows(&body)
        .iter()
        .find(|it| it["Id"] == json!(person.lms_id))
        .expect("the row");
    assert_eq!(
        row["LoginName"],
        json!(format!("i:0#.f|membership|{}", person.upn.to_lowercase()))
    );
    let values = row["UserFieldValues"].as_array().expect("values");
    let company = values
        .iter()
        .find(|it| it["FieldTitle"] == "Company")
        .expect("the company");
    assert_eq!(company["Value"], json!(person.company));
    assert!(values.iter().any(|it| it["FieldId"] == hire["Id"]) || person.hire_date.is_none());
}

#[tokio::test]
async fn filters_and_keys_find_single_rows() {
    let site = Site::new().await;
    let state = site.state();
    let both = |it: &&rollcall_simulators::world::Person| {
        it.object_id.is_some() && it.lms_id.is_some() && it.mail.is_some()
    };
    let person = state.world.people.iter().find(both).expect("a user");
    let object_id = person.object_id.expect("in Entra");
    let mail = person.mail.as_deref().expect("a mail").replace('\'', "''");
    for filter in [
        format!("DirectoryObjectId eq {object_id}"),
        format!("Email eq '{mail}'"),
    ] {
        let body = get(&site, &format!("Users?$filter={filter}")).await;
        assert_eq!(rows(&body).len(), 1, "{filter}");
        assert_eq!(rows(&body)[0]["Id"], json!(person.lms_id));
    }
    let login = percent(&person.login_name());
    let one = get(&site, &format!("Users('{login}')")).await;
    assert_eq!(one["Id"], json!(person.lms_id));

    let catalog = state.world.catalogs[0].id;
    let listed = get(
        &site,
        &format!("Courses?$filter=CourseCatalogId eq {catalog}"),
    )
    .await;
    assert!(!rows(&listed).is_empty());
    assert!(
        rows(&listed)
            .iter()
            .all(|it| it["CourseCatalogId"] == json!(catalog))
    );
    let (status, _) = site
        .lms(Method::GET, "Courses?$filter=Colour eq 'red'", None)
        .await;
    assert_eq!(
        status, 400,
        "an unknown property is an error, not an empty answer"
    );
    let user = person.lms_id.expect("in Learn365");
    let roles = get(&site, &format!("RoleAssignments?$filter=UserId eq {user}")).await;
    assert!(rows(&roles).iter().all(|it| it["UserId"] == json!(user)));
}

fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[tokio::test]
async fn enumerations_come_as_names_or_numbers() {
    let names = Site::new().await;
    let numbers = Site::with(|world| world.behaviour.enums_as_numbers = true).await;
    let paths = [
        ("Courses?$top=1", "CourseType"),
        ("Enrollments?$top=1", "CoursePassingStatus"),
        ("UserFields?$top=1", "Type"),
        ("Users?$top=1", "PrincipalType"),
    ];
    for (path, property) in paths {
        assert!(
            rows(&get(&names, path).await)[0][property].is_string(),
            "{property}"
        );
        assert!(
            rows(&get(&numbers, path).await)[0][property].is_u64(),
            "{property}"
        );
    }
}

#[tokio::test]
async fn deleted_courses_are_hidden_or_marked() {
    let site = Site::with(|world| world.courses[0].deleted = true).await;
    let hidden = rows(&get(&site, "Courses").await).len();
    site.simulators.edit(TENANT, |state| {
        state.world.behaviour.list_deleted_courses = true;
    });
    let body = get(&site, "Courses").await;
    let deleted = rows(&body)
        .iter()
        .filter(|it| it["IsDeleted"] == true)
        .count();
    assert!(deleted > 0);
    assert_eq!(rows(&body).len(), hidden + deleted);
}
