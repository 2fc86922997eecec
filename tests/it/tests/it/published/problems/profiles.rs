//! Problems of profiles: saving, restoring, courses, previews, holds, the lock.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::Told;
use super::{NOTHING, lock};
use crate::admin::{create, draft, path, with};
use crate::harness::{TestApp, TestTenant};

#[tokio::test]
async fn saving_a_profile() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let (denver, tag) = create(&owner, draft("Denver", "Denver")).await;
    let (oslo, _) = create(&owner, draft("Oslo", "Oslo")).await;
    let mut told = Told::default();
    let names = json!({"overrides": {"include": [{"profile": denver}]}});
    let put = format!("/v1/profiles/{oslo}");
    owner
        .put(&put, "\"1\"", with(draft("Oslo", "Oslo"), names))
        .await
        .expect(200);
    let bodies = wrong_profiles(&denver.to_string(), &oslo.to_string());
    let request = format!("PUT {}", path(denver));
    for (what, fields) in bodies {
        let body = with(draft("Denver", "Denver"), fields);
        told.refused(what, &owner, &request, &tag, Some(body)).await;
    }
    let taken = Some(draft("oslo", "Oslo"));
    told.refused(
        "a title that is taken",
        &owner,
        "POST /v1/profiles",
        "",
        taken,
    )
    .await;
    let again = Some(draft("Denver", "Denver"));
    told.refused("an older version", &owner, &request, "\"9\"", again)
        .await;
    insta::assert_snapshot!(told.steady());
}

fn wrong_profiles(own: &str, other: &str) -> Vec<(&'static str, Value)> {
    let rule =
        |rule: Value| json!({"filter": {"properties": {"combinator": "and", "rules": [rule]}}});
    vec![
        ("no audience", json!({"filter": null})),
        (
            "texts",
            json!({"title": " ", "description": "x".repeat(3_000)}),
        ),
        ("a long title", json!({"title": "x".repeat(201)})),
        ("limits", json!({"throttle": {"maxPercent": 10_001}})),
        (
            "an unknown field",
            rule(json!({"field": "colour", "operator": "=", "value": "red"})),
        ),
        (
            "an unknown operator",
            rule(json!({"field": "city", "operator": "near", "value": "Oslo"})),
        ),
        ("no value", rule(json!({"field": "city", "operator": "="}))),
        ("courses", json!({"courses": [NOTHING]})),
        (
            "people",
            json!({"overrides": {"include": [{"user": NOTHING}], "exclude": [{"user": NOTHING}]}}),
        ),
        (
            "profiles",
            json!({"overrides": {"include": [{"profile": NOTHING}]}}),
        ),
        (
            "itself",
            json!({"overrides": {"include": [{"profile": own}]}}),
        ),
        (
            "a circle",
            json!({"overrides": {"exclude": [{"profile": other}]}}),
        ),
        (
            "several at once",
            json!({"title": "", "more": 1, "courses": [NOTHING], "overrides": {"include": [{"user": NOTHING}]}}),
        ),
    ]
}

#[tokio::test]
async fn deleting_and_restoring() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let (id, tag) = create(&owner, draft("Denver", "Denver")).await;
    let mut told = Told::default();
    let restore = format!("POST {}/restore", path(id));
    let same = || Some(json!({}));
    told.refused("not deleted", &owner, &restore, &tag, same())
        .await;
    told.refused("no If-Match", &owner, &restore, "", same())
        .await;
    let other = Some(json!({"version": 77}));
    told.refused("no such version", &owner, &restore, &tag, other)
        .await;
    told.refused("another version", &owner, &restore, "\"9\"", same())
        .await;
    let delete = format!("DELETE {}", path(id));
    told.refused("another version", &owner, &delete, "\"9\"", None)
        .await;
    owner.delete(&path(id)).await.expect(204);
    let put = format!("PUT {}", path(id));
    let body = Some(draft("Denver", "Denver"));
    told.refused("deleted", &owner, &put, "\"2\"", body).await;
    let missing = [
        format!("GET /v1/profiles/{NOTHING}"),
        format!("DELETE /v1/profiles/{NOTHING}"),
        format!("GET {}/versions/77", path(id)),
        format!("GET /v1/profiles/{NOTHING}/versions"),
    ];
    for request in missing {
        told.refused("not there", &owner, &request, "", None).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn courses_of_another_user() {
    let tenant = TestTenant::small().course_of("Workshop", "Forklift");
    let app = Box::pin(TestApp::ready(tenant)).await;
    let (id, tag) = create(&app.admin("Owner"), draft("Denver", "Denver")).await;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    let request = format!("PUT {}/courses", path(id));
    let mut told = Told::default();
    let many: Vec<Uuid> = (0..501).map(Uuid::from_u128).collect();
    for (what, courses) in [
        ("too many", json!(many)),
        ("another's course", json!([app.course("Forklift")])),
        ("no such course", json!([NOTHING])),
        ("no id", json!(["x"])),
        ("no list", json!("all")),
    ] {
        let body = Some(json!({"courses": courses}));
        told.refused(what, &cara, &request, &tag, body).await;
    }
    told.refused("nothing", &cara, &request, &tag, Some(json!({})))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn looking_ahead() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let (id, _) = create(&owner, draft("Denver", "Denver")).await;
    let none = app.put("Nobody", |_| ()).await;
    let gone = app.field("Gone");
    let review = app
        .put("Review", |profile| {
            profile.filter.properties = Some(json!({"combinator": "and",
                "rules": [{"field": gone, "operator": "=", "value": "x"}]}));
        })
        .await;
    let mut told = Told::default();
    let at = path(id);
    for (what, request) in [
        ("no such list", format!("GET {at}/preview?list=everybody")),
        ("a foreign cursor", format!("GET {at}/members?cursor=00")),
        ("no list yet", format!("GET {at}/members.xlsx")),
        (
            "nobody",
            format!("GET {at}/explain?user=nobody@contoso.example"),
        ),
        ("nothing held", format!("GET {at}/hold")),
        ("no audience", format!("GET {}/preview", path(none.id))),
        (
            "a field that is gone",
            format!("GET {}/members", path(review.id)),
        ),
        (
            "a field that is gone",
            format!("GET {}/explain?user={}", path(review.id), app.user("Ada")),
        ),
    ] {
        told.refused(what, &owner, &request, "", None).await;
    }
    let look = "POST /v1/profiles/preview";
    for (what, body) in [
        ("no draft", json!({})),
        (
            "no object",
            json!({"profile": 1, "list": "everybody", "limit": "few"}),
        ),
        (
            "no such profile",
            json!({"profile": draft("X", "Oslo"), "id": NOTHING}),
        ),
        (
            "a wrong draft",
            json!({"profile": with(draft("Denver", "Oslo"), json!({"courses": [NOTHING]}))}),
        ),
    ] {
        told.refused(what, &owner, look, "", Some(body)).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn deciding_about_a_hold() {
    let mut app = Box::pin(TestApp::ready(TestTenant::crowd(12))).await;
    let owner = app.admin("Owner");
    let limit = json!({"throttle": {"maxChanges": 10}});
    let (id, _) = create(&owner, with(draft("Denver", "Denver"), limit)).await;
    let (other, _) = create(&owner, draft("Other", "Oslo")).await;
    app.maintained().await;
    let hold = format!("{}/hold", path(id));
    let hash = owner.get(&hold).await.expect(200).body["hash"].clone();
    let approve = format!("POST {hold}/approve");
    let mut told = Told::default();
    for (what, body) in [
        ("nothing said", json!({})),
        ("no reason", json!({"hash": hash, "why": " "})),
        (
            "another change",
            json!({"hash": "0".repeat(64), "why": "new office"}),
        ),
    ] {
        told.refused(what, &owner, &approve, "", Some(body)).await;
    }
    let decision = json!({"hash": hash, "why": "new office"});
    let elsewhere = format!("POST {}/hold/discard", path(other));
    told.refused(
        "nothing held",
        &owner,
        &elsewhere,
        "",
        Some(decision.clone()),
    )
    .await;
    let lease = lock(&app).await;
    told.refused("locked", &owner, &approve, "", Some(decision.clone()))
        .await;
    lease.release().await.expect("not released");
    owner
        .post(&format!("{hold}/approve"), decision.clone())
        .await
        .expect(202);
    let discard = format!("POST {hold}/discard");
    told.refused("decided", &owner, &discard, "", Some(decision))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn while_maintenance_works() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let (id, _) = create(&owner, draft("Denver", "Denver")).await;
    let lease = lock(&app).await;
    let mut told = Told::default();
    let settings = json!({"contact": "new@contoso.example", "groupPrefix": "LMS - "});
    let requests = [
        ("PUT /v1/settings".to_owned(), Some(settings)),
        ("POST /v1/profiles".to_owned(), Some(draft("New", "Oslo"))),
        (
            "POST /v1/profiles/preview".to_owned(),
            Some(json!({"profile": draft("New", "Oslo")})),
        ),
        (format!("PUT {}", path(id)), Some(draft("Changed", "Oslo"))),
        (format!("GET {}/preview", path(id)), None),
        (format!("GET {}/members", path(id)), None),
        (
            format!("PUT {}/courses", path(id)),
            Some(json!({"courses": []})),
        ),
    ];
    for (request, body) in requests {
        told.refused("locked", &owner, &request, "\"1\"", body)
            .await;
    }
    lease.release().await.expect("not released");
    insta::assert_snapshot!(told.steady());
}
