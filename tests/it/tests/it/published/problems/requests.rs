//! Invalid requests: bodies, queries, ids, preconditions, cursors.

use axum::body::Body;
use axum::http::Request;
use rollcall_profile_api::MAX_BODY;
use serde_json::json;

use super::super::Told;
use super::NOTHING;
use crate::harness::{Answer, TestApp, TestTenant, call};

/// Sends a body with this media type, or none if it is empty.
async fn send(app: &TestApp, media_type: &str, body: Vec<u8>) -> Answer {
    let token = format!("Bearer {}", app.admin("Owner").bearer());
    let mut request = Request::post("/v1/runs").header("authorization", token);
    if !media_type.is_empty() {
        request = request.header("content-type", media_type);
    }
    let request = request.body(Body::from(body)).expect("invalid request");
    call(&app.router(), request).await
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let app = Box::pin(TestApp::of(TestTenant::small())).await;
    let json = "application/json";
    let bodies = [
        ("nothing", json, Vec::new()),
        ("no media type", "", b"{}".to_vec()),
        ("another media type", "text/plain", b"{}".to_vec()),
        ("no JSON", json, b"{\"job\":\n nonsense}".to_vec()),
        ("no object", json, b"[1]".to_vec()),
        ("too long", json, vec![b' '; MAX_BODY + 1]),
    ];
    let mut told = Told::default();
    for (what, media_type, body) in bodies {
        let answer = send(&app, media_type, body).await;
        told.add(&format!("{what}\nPOST /v1/runs"), &answer);
    }
    insta::assert_snapshot!(told.steady());
}

/// Messages of the JSON library, converted into messages for users.
#[tokio::test]
async fn fields_of_a_wrong_kind() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let mut told = Told::default();
    let bodies = [
        json!({"title": 1, "description": null, "enroll": "yes", "autoPopulate": 0}),
        json!({"title": "a", "description": "b", "enroll": true, "autoPopulate": true,
            "overrides": {"include": [{"user": "x"}, {"team": 1}, 7], "exclude": {}},
            "courses": ["y"], "timeZone": "Mars", "throttle": {"maxChanges": -1, "most": 2, "maxPercent": "1"},
            "filter": [], "more": 1, "a/b~c": 2}),
        json!({"throttle": 5, "courses": "all", "overrides": []}),
    ];
    for body in bodies {
        told.refused(
            "fields of a wrong kind",
            &owner,
            "POST /v1/profiles",
            "",
            Some(body),
        )
        .await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn queries_and_ids_that_cannot_be_read() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let mut told = Told::default();
    for request in [
        "GET /v1/profiles?limit=many",
        "GET /v1/profiles?limit=-1",
        "GET /v1/profiles?enroll=perhaps",
        "GET /v1/profiles?status=fine",
        "GET /v1/profiles?sort=colour",
        "GET /v1/profiles?colour=red",
        "GET /v1/profiles?cursor=zz",
        "GET /v1/profiles?cursor=00",
        "GET /v1/notifications?before=yesterday",
        "GET /v1/runs?job=everything",
        "GET /v1/runs?cursor=ff",
        "GET /v1/audit?cursor=zz",
        "GET /v1/profiles/nonsense",
        "GET /v1/runs/nonsense",
        "GET /v1/runs/maintenance-2020-01-01T00:00:00Z",
    ] {
        told.refused("cannot be read", &owner, request, "", None)
            .await;
    }
    let request = format!("GET /v1/profiles/{NOTHING}/explain");
    told.refused("a parameter is missing", &owner, &request, "", None)
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn preconditions_that_are_none() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let body = json!({"contact": "lms@contoso.example"});
    let mut told = Told::default();
    for (what, tag) in [
        ("no If-Match", ""),
        ("no version", "\"x\""),
        ("any version", "*"),
        ("two versions", "\"1\", \"2\""),
        ("another version", "\"77\""),
    ] {
        let request = "PUT /v1/settings";
        told.refused(what, &owner, request, tag, Some(body.clone()))
            .await;
    }
    insta::assert_snapshot!(told.steady());
}
