//! Evaluations in the API: previews, members, explanations, warnings, workbooks.

use chrono::{TimeDelta, Utc};
use rollcall_simulators::FaultKind;
use serde_json::{Value, json};

use super::{column, create, draft, path, with};
use crate::harness::{TestApp, TestTenant, in_city};

fn tenant() -> TestTenant {
    TestTenant::small()
        .person("Barbara", "Oslo")
        .person("Edsger", "Denver")
        .outside_entra()
        .course("Outlook")
}

/// Proves S4-042 and S4-127: a preview lists the changes that the next run makes.
#[tokio::test]
async fn a_preview_says_what_the_next_run_does() {
    let mut app = TestApp::ready(tenant()).await;
    let admin = app.admin("LmsAdmin");
    let courses = json!({"courses": [app.course("Security 101")]});
    let body = with(draft("Denver", "Denver"), courses);
    let ahead = admin
        .post("/v1/profiles/preview", json!({"profile": body}))
        .await
        .expect(200)
        .body;
    let preview = &ahead["preview"];
    assert_eq!(
        (&preview["audience"], &preview["reachable"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        (&preview["joins"], &preview["leaves"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(column(&ahead["people"]["items"], "name"), ["Ada", "Alan"]);
    assert_eq!(preview["coursesGained"][0]["title"], "Security 101");
    let list = json!({"profile": body, "list": "unreachable"});
    let ahead = admin
        .post("/v1/profiles/preview", list)
        .await
        .expect(200)
        .body;
    assert_eq!(column(&ahead["people"]["items"], "name"), ["Edsger"]);

    let (id, _) = create(&admin, body).await;
    app.maintained().await;
    assert_eq!(app.members_of(id).expect("no such group"), ["Ada", "Alan"]);
    let now = admin
        .get(&format!("{}/preview", path(id)))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&now["preview"]["joins"], &now["preview"]["leaves"]),
        (&json!(0), &json!(0))
    );
}

/// The preview of a change to a saved profile lists the members who would leave, the courses it
/// would lose, and that it would be held. Nothing is changed.
#[tokio::test]
async fn a_draft_of_a_change_is_looked_ahead_with() {
    let mut app = TestApp::ready(tenant()).await;
    let admin = app.admin("LmsAdmin");
    let courses = json!({"courses": [app.course("Security 101")]});
    let (id, _) = create(&admin, with(draft("Denver", "Denver"), courses)).await;
    app.maintained().await;
    let changed = with(
        draft("Denver", "Oslo"),
        json!({"throttle": {"maxChanges": 3}}),
    );
    let ask = json!({"profile": changed, "id": id, "list": "leaves"});
    let ahead = admin
        .post("/v1/profiles/preview", ask)
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&ahead["preview"]["joins"], &ahead["preview"]["leaves"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(column(&ahead["people"]["items"], "name"), ["Ada", "Alan"]);
    assert!(
        ahead["heldBecause"]
            .as_str()
            .expect("not a string")
            .contains("4 member changes")
    );
    assert_eq!(ahead["preview"]["coursesLost"][0]["title"], "Security 101");
    assert_eq!(
        app.members_of(id).expect("no such group"),
        ["Ada", "Alan"],
        "the preview changed the group"
    );
}

/// Members that are not stored are read from Microsoft Graph; if that fails, the preview states it
/// and still returns the audience.
#[tokio::test]
async fn members_in_doubt_are_read_or_said_to_be_unknown() {
    let mut app = TestApp::ready(tenant()).await;
    let admin = app.admin("LmsAdmin");
    let (id, _) = create(&admin, draft("Denver", "Denver")).await;
    app.maintained().await;
    app.forget_kept(id).await;
    let preview = format!("{}/preview", path(id));
    let ahead = admin.get(&preview).await.expect(200).body;
    assert_eq!(ahead["preview"]["current"], 2);
    for path in ["$batch", "/members"] {
        app.fault(path, FaultKind::BrokenJson, 1, 50);
    }
    let ahead = admin.get(&preview).await.expect(200).body;
    assert_eq!(ahead["preview"]["current"], json!(null));
    assert_eq!(ahead["preview"]["audience"], 3);
    assert!(ahead["membersUnknownBecause"].is_string(), "{ahead:#}");
}

/// Members are returned in pages by name, and found by parts of names and addresses.
#[tokio::test]
async fn people_come_in_pages_and_are_searched() {
    let app = TestApp::ready(TestTenant::crowd(120)).await;
    let admin = app.admin("LmsAdmin");
    let (id, _) = create(&admin, draft("Denver", "Denver")).await;
    let members = format!("{}/members", path(id));
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin
            .get(&format!("{members}?limit=50{cursor}"))
            .await
            .expect(200)
            .body;
        assert_eq!(page["people"]["total"], 120);
        names.extend(column(&page["people"]["items"], "name"));
        match page["people"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..120).map(|n| format!("P{n:04}")).collect();
    assert_eq!(names, expected);
    let found = admin
        .get(&format!("{members}?search=p0007"))
        .await
        .expect(200)
        .body;
    assert_eq!(column(&found["people"]["items"], "name"), ["P0007"]);
    admin.get(&format!("{members}?cursor=00")).await.expect(400);
}

/// Proves S4-041 and S4-128: the workbook of the last run has a URL that works without a token
/// and for a short time; the download is audited.
#[tokio::test]
async fn the_members_list_is_downloaded_by_a_short_lived_address() {
    let mut app = TestApp::ready(tenant()).await;
    let admin = app.admin("LmsAdmin");
    let (id, _) = create(&admin, draft("Denver: \"all\"", "Denver")).await;
    let workbook = format!("{}/members.xlsx", path(id));
    let none = admin.get(&workbook).await.expect(404);
    assert_eq!(none.body["type"], "urn:rollcall:no-list");
    app.maintained().await;
    let download = admin.get(&workbook).await.expect(200).body;
    assert_eq!(download["fileName"], "Denver: \"all\".xlsx");
    let url = download["url"].as_str().expect("not a string");
    assert!(url.contains("X-Amz-Expires=120"), "{url}");
    let file = reqwest::get(url).await.expect("download failed");
    assert!(file.status().is_success());
    let bytes = file.bytes().await.expect("body not read");
    assert!(
        bytes.starts_with(b"PK"),
        "the workbook is not a zip archive"
    );
    let audit = admin
        .get(&format!("/v1/audit?subject={id}"))
        .await
        .expect(200)
        .body;
    assert_eq!(audit["items"][0]["action"], "members_downloaded");
}

/// Proves S4-044, S4-088a and S4-088b: a user's membership is explained rule by rule, with the
/// overrides that apply.
#[tokio::test]
async fn a_persons_place_is_explained() {
    let app = TestApp::ready(tenant()).await;
    let admin = app.admin("CatalogAdmin");
    let owner = app.admin("Owner");
    let (oslo, _) = create(&owner, draft("Oslo", "Oslo")).await;
    let fields = json!({"overrides": {"exclude": [{"profile": oslo}], "include": [{"user": app.user("Grace")}]}});
    let (id, _) = create(&owner, with(draft("Denver", "Denver"), fields)).await;
    let explain = |user: String| {
        let admin = admin.clone();
        async move {
            admin
                .get(&format!("{}/explain?user={user}", path(id)))
                .await
        }
    };
    let ada = explain(app.user("Ada").to_string()).await.expect(200).body;
    assert_eq!(ada["explanation"]["member"], true);
    assert_eq!(ada["explanation"]["because"]["kind"], "rules");
    assert!(
        ada["text"]
            .as_str()
            .expect("not a string")
            .contains("Denver")
    );
    let grace = explain(app.user("Grace").to_string())
        .await
        .expect(200)
        .body;
    assert_eq!(grace["explanation"]["member"], false);
    assert_eq!(grace["explanation"]["because"]["kind"], "excluded");
    let mail = ada["person"]["email"]
        .as_str()
        .expect("not a string")
        .to_owned();
    let same = explain(mail).await.expect(200).body;
    assert_eq!(same["person"]["id"], ada["person"]["id"]);
    explain("nobody@contoso.example".to_owned())
        .await
        .expect(404);
}

/// Warnings are returned when saving and previewing; the profile is saved nevertheless.
#[tokio::test]
async fn authors_are_warned_about_rules_that_cannot_be_meant() {
    let app = TestApp::ready(tenant()).await;
    let admin = app.admin("LmsAdmin");
    let rule = |value: &str| json!({"field": "city", "operator": "=", "value": value});
    let never = json!({"filter": {"properties": {"combinator": "and", "rules": [rule("Denver"), rule("Oslo")]}}});
    let answer = admin
        .post("/v1/profiles", with(draft("Never", "x"), never))
        .await
        .expect(201);
    let kinds = column(&answer.body["warnings"], "kind");
    assert!(kinds.contains(&"never_true".to_owned()), "{kinds:?}");
    let typo = json!({"profile": with(draft("Typo", "x"), json!({"filter": {"properties": in_city("Denvre")}}))});
    let ahead = admin
        .post("/v1/profiles/preview", typo)
        .await
        .expect(200)
        .body;
    let warning = &ahead["warnings"][0];
    assert_eq!(warning["kind"], "unknown_value");
    assert!(
        warning["detail"]
            .as_str()
            .expect("not a string")
            .contains("Denver"),
        "{warning}"
    );
    create(&admin, draft("Denver", "Denver")).await;
    let twin = with(draft("Denver again", " DENVER "), json!({}));
    let answer = admin.post("/v1/profiles", twin).await.expect(201);
    let warnings = answer.body["warnings"]
        .as_array()
        .expect("no warnings")
        .clone();
    let same = warnings
        .iter()
        .find(|warning| warning["kind"] == "equal_to_profile");
    let words = same.expect("no warning")["detail"]
        .as_str()
        .expect("not a string");
    assert!(words.contains("\"Denver\""), "{words}");
}

/// Proves S4-051 and S4-053: without auto-populate no member joins or leaves.
#[tokio::test]
async fn a_profile_that_is_not_populated_changes_no_one() {
    let app = TestApp::ready(tenant()).await;
    let admin = app.admin("LmsAdmin");
    let by_hand = with(draft("By hand", "Denver"), json!({"autoPopulate": false}));
    let ahead = admin
        .post("/v1/profiles/preview", json!({"profile": by_hand}))
        .await
        .expect(200)
        .body;
    assert_eq!(ahead["preview"]["audience"], 3);
    assert_eq!(
        (&ahead["preview"]["joins"], &ahead["preview"]["leaves"]),
        (&json!(0), &json!(0))
    );
}

/// Proves S4-083, S4-084, S4-085, S4-086 and S4-087: activities without a value.
#[tokio::test]
async fn activities_need_no_value() {
    let now = Utc::now();
    let tenant = tenant()
        .completed("Ada", "Outlook", now - TimeDelta::days(3))
        .completed("Grace", "Outlook", now - TimeDelta::days(90));
    let app = TestApp::ready(tenant).await;
    let admin = app.admin("LmsAdmin");
    let course = app.course("Outlook");
    let ask = |operator: &str| {
        let rule = json!({"field": format!("course:{course}"), "operator": operator});
        let filter = json!({"activities": {"combinator": "and", "rules": [rule]}});
        let body = json!({"profile": with(draft("Activity", "x"), json!({"filter": filter})), "list": "members"});
        let admin = admin.clone();
        async move {
            let ahead: Value = admin
                .post("/v1/profiles/preview", body)
                .await
                .expect(200)
                .body;
            column(&ahead["people"]["items"], "name")
        }
    };
    assert_eq!(ask("completed").await, ["Ada", "Grace"]);
    assert_eq!(ask("completedInLast").await, ["Ada"]);
    assert_eq!(ask("notCompleted").await, ["Alan", "Barbara", "Edsger"]);
    assert!(
        ask("overdue").await.is_empty(),
        "an activity without a due date is overdue"
    );
}

/// Previews of many users with a cached snapshot, by default 2,000. For more users, and to see
/// the times, run
///
/// ```text
/// ROLLCALL_IT_PEOPLE=100000 cargo test -p rollcall-it --test it -- --nocapture previews_of_many
/// ```
#[tokio::test]
async fn previews_of_many_people_are_computed_from_warm_data() {
    let people = std::env::var("ROLLCALL_IT_PEOPLE").ok();
    let people = people
        .and_then(|people| people.parse().ok())
        .unwrap_or(2_000);
    let app = TestApp::ready(TestTenant::small()).await;
    app.use_snapshot(crowd(people)).await;
    let admin = app.admin("LmsAdmin");
    let offices: Vec<Value> = (0..7).map(|n| json!(format!("Office {n}"))).collect();
    let rule = |field: &str, operator: &str, value: Value| json!({"field": field, "operator": operator, "value": value});
    let filter = json!({"properties": {"combinator": "and", "rules": [
        rule("office", "in", json!(offices)),
        rule("email", "endsWith", json!("@contoso.example")),
        rule("title", "contains", json!("1")),
    ]}});
    let ask =
        json!({"profile": with(draft("Many", "x"), json!({"filter": filter})), "list": "members"});
    for name in ["cold", "warm", "warm", "warm"] {
        let begun = std::time::Instant::now();
        let ahead = admin
            .post("/v1/profiles/preview", ask.clone())
            .await
            .expect(200)
            .body;
        println!(
            "{name}: {people} users, {} in the audience, {:?}",
            ahead["preview"]["audience"],
            begun.elapsed()
        );
        assert!(ahead["preview"]["audience"].as_u64().expect("not a number") > 100);
        assert_eq!(ahead["people"]["items"].as_array().map(Vec::len), Some(50));
    }
    let begun = std::time::Instant::now();
    let found = admin
        .get("/v1/users?search=person%201234")
        .await
        .expect(200)
        .body;
    println!("search: {} found, {:?}", found["total"], begun.elapsed());
}

/// Returns a world with this number of users in ten offices.
fn crowd(people: usize) -> rollcall_domain::testing::World {
    let mut world = rollcall_domain::testing::World::new();
    for n in 0..people {
        let (name, fixture) = (format!("Person {n:06}"), format!("Office {}", n % 10));
        let email = format!("person{n:06}@contoso.example");
        world
            .person(&name)
            .with("office", &fixture)
            .with("email", &email);
    }
    world.course("Security 101");
    world
}
