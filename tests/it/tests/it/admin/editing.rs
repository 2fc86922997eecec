//! Creating and changing profiles: required fields, rejected values, concurrent edits.

use rollcall_domain::membership::report::ProfileStatus;
use serde_json::json;

use super::{create, draft, id_of, path, with};
use crate::harness::{TestApp, TestTenant, in_city};

/// Proves S4-019, S4-032, S4-046, S4-052 and S4-089b: a profile created over HTTP gets a group
/// with members, enrolled in its courses, in the next cycle and not before.
#[tokio::test]
async fn a_new_profile_takes_effect_with_the_next_cycle() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let course = app.course("Security 101");
    let body = with(draft("Denver", "Denver"), json!({"courses": [course]}));
    let answer = admin.post("/v1/profiles", body).await.expect(201);
    let id = id_of(&answer);
    assert_eq!(answer.header("location"), path(id));
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.body["modifiedBy"], admin.name);
    assert_eq!(answer.body["standing"]["groupName"], "LMS - Denver");
    assert_eq!(answer.body["standing"]["status"], json!(null));
    assert_eq!(
        app.members_of(id),
        None,
        "the group exists before the cycle"
    );

    app.maintained().await;
    assert_eq!(app.members_of(id).expect("no such group"), ["Ada", "Alan"]);
    assert_eq!(app.enrolled_of(id), ["Security 101"]);
    let body = admin.get(&path(id)).await.expect(200).body;
    assert_eq!(
        body["standing"]["status"],
        json!(ProfileStatus::Synchronised)
    );
    assert_eq!(body["standing"]["members"], 2);
    assert!(body["standing"]["groupId"].is_string());
}

/// Proves S4-072, S4-079, S4-084 and S4-118: all problems are reported in one response, each with
/// its pointer.
#[tokio::test]
async fn every_problem_is_reported_at_once() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    create(&admin, draft("Denver", "Denver")).await;
    let body = json!({
        "title": " DENVER ",
        "description": "",
        "enroll": true,
        "autoPopulate": true,
        "throttle": {"maxPercent": -1},
        "filter": {
            "properties": {"combinator": "and", "rules": [
                {"field": "city", "operator": "=", "value": ""},
                {"field": "salary", "operator": "=", "value": "1"},
            ]},
            "dates": {"combinator": "and", "rules": [{"field": "custom:6f9619ff-8b86-4011-b42d-00c04fc964ff", "operator": "before", "value": "2026-01-01"}]},
            "activities": {"combinator": "or", "rules": [{"field": "course:6f9619ff-8b86-4011-b42d-00c04fc964ff", "operator": "completed"}]},
        },
        "courses": ["6f9619ff-8b86-4011-b42d-00c04fc964ff"],
        "overrides": {"include": [
            {"user": "6f9619ff-8b86-4011-b42d-00c04fc964ff"},
            {"profile": "6f9619ff-8b86-4011-b42d-00c04fc964ff"},
        ]},
        "surprise": 1,
    });
    let answer = admin.post("/v1/profiles", body).await.expect(422);
    assert!(answer.detail().contains("each is listed"));
    assert_eq!(answer.body["type"], "urn:rollcall:invalid");
    let mut places = answer.pointers();
    places.sort_unstable();
    let expected = [
        "/courses/0",
        "/description",
        "/filter/activities/rules/0/field",
        "/filter/dates/rules/0/field",
        "/filter/properties/rules/0/value",
        "/filter/properties/rules/1/field",
        "/overrides/include/0",
        "/overrides/include/1",
        "/surprise",
        "/throttle/maxPercent",
        "/title",
    ];
    assert_eq!(places, expected);
    let list = admin.get("/v1/profiles").await.expect(200);
    assert_eq!(list.body["items"].as_array().map(Vec::len), Some(1));
}

/// Proves S4-118 at save: a profile with neither filter nor overrides is rejected if the rules
/// determine its members, and accepted if its group is filled elsewhere (S4-051).
#[tokio::test]
async fn a_profile_that_says_nothing_is_refused_unless_it_is_not_populated() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let nothing = with(draft("Nobody", "x"), json!({"filter": {}}));
    let answer = admin
        .post("/v1/profiles", nothing.clone())
        .await
        .expect(422);
    assert_eq!(answer.pointers(), ["/filter"]);
    let by_hand = with(nothing, json!({"autoPopulate": false}));
    admin.post("/v1/profiles", by_hand).await.expect(201);
}

/// Of two concurrent editors of one profile, the second gets 412 and loses nothing.
#[tokio::test]
async fn the_slower_editor_loses_nothing() {
    let app = TestApp::ready(TestTenant::small()).await;
    let (first, second) = (app.admin("LmsAdmin"), app.admin("Owner"));
    let (id, tag) = create(&first, draft("Denver", "Denver")).await;
    let mine = with(draft("Denver", "Denver"), json!({"description": "first"}));
    let saved = first.put(&path(id), &tag, mine).await.expect(200);
    assert_eq!(saved.header("etag"), "\"2\"");

    let theirs = with(draft("Denver", "Oslo"), json!({"description": "second"}));
    let refused = second
        .put(&path(id), &tag, theirs.clone())
        .await
        .expect(412);
    assert!(refused.detail().contains("Nothing was saved"));
    let now = second.get(&path(id)).await.expect(200);
    assert_eq!(now.body["description"], "first");
    second
        .put(&path(id), now.header("etag"), theirs)
        .await
        .expect(200);
    second
        .put(&path(id), "", draft("Denver", "Oslo"))
        .await
        .expect(428);
}

/// Of twenty concurrent saves of the same version one succeeds, and the history contains every
/// version.
#[tokio::test]
async fn of_many_at_once_one_saves() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let (id, tag) = create(&admin, draft("Denver", "Denver")).await;
    let saves = (0..20).map(|n| {
        let body = with(
            draft("Denver", "Denver"),
            json!({"description": format!("number {n}")}),
        );
        let (admin, tag) = (admin.clone(), tag.clone());
        async move { admin.put(&path(id), &tag, body).await.status }
    });
    let mut statuses = futures::future::join_all(saves).await;
    statuses.sort_unstable();
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses
            .iter()
            .all(|status| [200, 412, 503].contains(status)),
        "{statuses:?}"
    );
    let versions = admin
        .get(&format!("{}/versions", path(id)))
        .await
        .expect(200);
    assert_eq!(versions.body["items"].as_array().map(Vec::len), Some(2));
}

/// Proves S4-054: a title belongs to one profile, regardless of case, also if several requests
/// use it at the same time; deleting the profile releases the title.
#[tokio::test]
async fn a_title_belongs_to_one_profile() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let tries = ["Denver", "denver", " DENVER", "dEnver"].map(|title| {
        let admin = admin.clone();
        async move { admin.post("/v1/profiles", draft(title, "Denver")).await }
    });
    let answers = futures::future::join_all(tries).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        assert_eq!(answer.expect(422).pointers(), ["/title"]);
    }
    let id = id_of(&made[0]);
    let other = admin
        .post("/v1/profiles", draft("Oslo", "Oslo"))
        .await
        .expect(201);
    let renamed = draft("DENVER", "Oslo");
    let answer = admin
        .put(&path(id_of(&other)), "\"1\"", renamed.clone())
        .await;
    assert_eq!(answer.expect(422).pointers(), ["/title"]);
    admin.delete(&path(id)).await.expect(204);
    admin
        .put(&path(id_of(&other)), "\"1\"", renamed)
        .await
        .expect(200);
}

/// Proves S4-088d and S4-088f: overrides can refer to profiles, but not in a cycle.
#[tokio::test]
async fn overrides_never_lead_in_a_circle() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let (first, _) = create(&admin, draft("First", "Denver")).await;
    let naming = |id| json!({"overrides": {"include": [{"profile": id}]}});
    let (second, _) = create(&admin, with(draft("Second", "Oslo"), naming(first))).await;
    let (third, _) = create(&admin, with(draft("Third", "Oslo"), naming(second))).await;
    let circle = with(draft("First", "Denver"), naming(third));
    let answer = admin.put(&path(first), "\"1\"", circle).await.expect(422);
    assert_eq!(answer.pointers(), ["/overrides/include/0"]);
    let detail = answer.body["errors"][0]["detail"]
        .as_str()
        .expect("not a string");
    assert!(
        detail.contains("cycle") && detail.contains("Second"),
        "{detail}"
    );
}

/// Proves S4-043, S4-056…S4-059 and S4-067 as stored: limits, sections and switches are returned
/// as they were sent.
#[tokio::test]
async fn what_was_sent_is_what_comes_back() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("SuperAdmin");
    let fields = json!({
        "throttle": {"maxChanges": 5, "maxPercent": 10.5},
        "filter": {"match": "any", "properties": in_city("Denver"),
            "activities": {"combinator": "and", "not": true, "rules": [
                {"field": format!("course:{}", app.course("Fire Safety")), "operator": "completed"}]}},
        "overrides": {"include": [{"user": app.user("Grace")}], "exclude": [{"user": app.user("Alan")}]},
        "courses": [app.course("Fire Safety")],
        "timeZone": "Europe/Oslo",
        "retraction": "courses_only",
        "enroll": false,
    });
    let (id, _) = create(&admin, with(draft("Everything", "Denver"), fields.clone())).await;
    let read = admin.get(&path(id)).await.expect(200);
    let tag = read.header("etag").to_owned();
    let body = read.body;
    // A response is a valid request body: the fields that Rollcall sets are ignored.
    let again = admin.put(&path(id), &tag, body.clone()).await.expect(200);
    assert_eq!(again.body["throttle"], body["throttle"]);
    for (name, value) in fields.as_object().expect("no fields") {
        assert_eq!(&body[name], value, "{name}");
    }
}

/// Texts in any script are stored unchanged; control characters are rejected.
#[tokio::test]
async fn unicode_is_kept_and_control_characters_are_refused() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    for title in ["営業部 🎌", "Ελλάδα", "مبيعات", "e\u{301}quipe"] {
        let (id, _) = create(&admin, draft(title, "Denver")).await;
        let body = admin.get(&path(id)).await.expect(200).body;
        assert_eq!(body["title"], title);
    }
    for title in [
        "a\u{202e}b",
        "a\u{200b}",
        "a\u{0}b",
        "a\nb",
        "a\u{1b}[31m",
        "a\u{85}x",
    ] {
        let answer = admin.post("/v1/profiles", draft(title, "Denver")).await;
        assert_eq!(answer.expect(422).pointers(), ["/title"], "{title:?}");
    }
}

/// Proves S4-089a and S4-111: courses have their own route; catalog administrators can change
/// courses of their catalogs only.
#[tokio::test]
async fn catalog_admins_choose_courses_of_their_own_catalogs() {
    let tenant = TestTenant::small().course_of("Sales", "Selling");
    let mut app = TestApp::ready(tenant).await;
    let owner = app.admin("Owner");
    let catalog_admin = app.admin("CatalogAdmin");
    let (id, tag) = create(&owner, draft("Denver", "Denver")).await;
    let courses = format!("{}/courses", path(id));
    let (security, selling) = (app.course("Security 101"), app.course("Selling"));
    let both = json!({"courses": [security, selling]});
    let answer = catalog_admin
        .put(&courses, &tag, both.clone())
        .await
        .expect(403);
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(2));

    let settings = owner.get("/v1/settings").await.expect(200);
    let catalogs = owner.get("/v1/catalogs").await.expect(200).body;
    let sales = &catalogs["items"][1];
    assert_eq!(sales["title"], "Sales");
    let admins = json!({"contact": "lms@contoso.example", "groupPrefix": "LMS - ",
        "catalogAdmins": {catalog_admin.object.to_string(): [sales["id"]]}});
    owner
        .put("/v1/settings", settings.header("etag"), admins)
        .await
        .expect(200);
    catalog_admin.put(&courses, &tag, both).await.expect(403);
    let own = json!({"courses": [selling]});
    let saved = catalog_admin.put(&courses, &tag, own).await.expect(200);
    assert_eq!(saved.body["courses"], json!([selling]));
    let all = json!({"courses": [security, selling]});
    let saved = owner
        .put(&courses, saved.header("etag"), all)
        .await
        .expect(200);
    let less = json!({"courses": [selling]});
    catalog_admin
        .put(&courses, saved.header("etag"), less)
        .await
        .expect(403);
    let unknown = json!({"courses": ["6f9619ff-8b86-4011-b42d-00c04fc964ff"]});
    let answer = owner
        .put(&courses, saved.header("etag"), unknown)
        .await
        .expect(422);
    assert_eq!(answer.pointers(), ["/courses/0"]);

    app.maintained().await;
    assert_eq!(app.enrolled_of(id), ["Security 101", "Selling"]);
}

/// Requests are checked strictly: type, size, JSON, fields.
#[tokio::test]
async fn requests_are_read_strictly() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let plain = [("content-type", "text/plain")];
    let answer = admin.send("POST", "/v1/profiles", None, &plain).await;
    assert!(answer.expect(415).detail().contains("application/json"));
    let nothing = admin
        .send("POST", "/v1/profiles", None, &[])
        .await
        .expect(422);
    let required = ["/title", "/description", "/enroll", "/autoPopulate"];
    assert_eq!(nothing.pointers(), required);
    let huge = json!({"title": "x".repeat(600_000)});
    let answer = admin.post("/v1/profiles", huge).await;
    assert!(answer.expect(413).detail().contains("bytes"));
    let answer = admin.post("/v1/profiles", json!([1])).await;
    assert!(answer.expect(422).detail().contains("listed"));
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    admin.post("/v1/profiles", deep).await.expect(400);
    admin.get("/v1/profiles?colour=red").await.expect(400);
    admin.get("/v1/profiles?cursor=zz").await.expect(400);
    admin.get("/v1/profiles/not-an-id").await.expect(404);
}

/// Proves X-13: the audit records who changed which fields, in the same transaction, without
/// values.
#[tokio::test]
async fn every_change_is_audited() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let (id, tag) = create(&admin, draft("Denver", "Denver")).await;
    let renamed = draft("Denver people", "Denver");
    admin.put(&path(id), &tag, renamed).await.expect(200);
    admin.delete(&path(id)).await.expect(204);
    admin.delete(&path(id)).await.expect(204);
    let body = admin
        .get(&format!("/v1/audit?subject={id}"))
        .await
        .expect(200)
        .body;
    let told: Vec<_> = body["items"]
        .as_array()
        .expect("no events")
        .iter()
        .map(|event| (event["action"].as_str(), event["by"]["name"].as_str()))
        .collect();
    let by = Some(admin.name.as_str());
    let actions = ["profile_deleted", "profile_updated", "profile_created"];
    assert_eq!(told, actions.map(|action| (Some(action), by)));
    assert_eq!(body["items"][1]["details"]["fields"], "title");
    assert_eq!(body["items"][0]["by"]["object"], json!(admin.object));
}
