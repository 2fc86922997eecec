//! Rejected callers and the responses they get.

use std::fmt::Write;

use axum::body::Body;
use axum::http::Request;
use rollcall_simulators::{TokenFlaw, UserTokenSpec};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Told, lines, steady};
use crate::harness::{AUDIENCE, Admin, TestApp, TestTenant, call};

const PATH: &str = "GET /v1/tenant";

async fn tenant() -> TestApp {
    Box::pin(TestApp::of(TestTenant::small())).await
}

fn owner(app: &TestApp) -> UserTokenSpec {
    UserTokenSpec::new(app.id.uuid(), Uuid::new_v4(), AUDIENCE).roles(&["Owner"])
}

#[tokio::test]
async fn tokens_that_are_not_good() {
    let app = tenant().await;
    let good = owner(&app);
    let claim = |name: &str, value: Value| TokenFlaw::Claim(name.to_owned(), value);
    let flaws = [
        ("signed with another key", TokenFlaw::WrongKey),
        ("signed with an unknown key", TokenFlaw::UnknownKey),
        ("unsigned", TokenFlaw::Unsigned),
        ("signed with HMAC", TokenFlaw::HmacWithPublicKey),
        ("signed with RS512", TokenFlaw::OtherAlgorithm),
        (
            "of another issuer",
            TokenFlaw::Issuer("https://evil.example".to_owned()),
        ),
        ("for another service", claim("aud", json!("api://other"))),
        ("of no tenant", claim("tid", json!("common"))),
        ("of nobody", claim("oid", json!("me"))),
        ("version 1", claim("ver", json!("1.0"))),
        ("a claim of a wrong type", claim("roles", json!("Owner"))),
    ];
    let mut told = Told::default();
    let nobody = Admin::without_token(&app);
    told.refused("no token", &nobody, PATH, "", None).await;
    for (what, flaw) in flaws {
        let who = app.admin_with(&good.clone().flaw(flaw));
        told.refused(what, &who, PATH, "", None).await;
    }
    for (what, valid_in_s, expires_in_s) in [("expired", -3_600, -70), ("not valid yet", 70, 3_600)]
    {
        let who = app.admin_with(&UserTokenSpec {
            valid_in_s,
            expires_in_s,
            ..good.clone()
        });
        told.refused(what, &who, PATH, "", None).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn callers_that_may_not() {
    let app = tenant().await;
    let mut told = Told::default();
    let nobody = app.admin_of(app.id.uuid(), &[]);
    let reader = app.admin("CatalogAdmin");
    told.refused("no role", &nobody, PATH, "", None).await;
    told.refused("another role", &reader, "GET /v1/audit", "", None)
        .await;
    let operators = Uuid::new_v4();
    let app = Box::pin(app.operated_by(operators)).await;
    told.refused("no plan", &app.admin("Owner"), "GET /v1/profiles", "", None)
        .await;
    let operator = app.admin_of(operators, &["Operator"]);
    let plan = json!({"plan": "success_plus"});
    let path = format!("/v1/operator/tenants/{}/entitlement", app.id);
    operator.put(&path, "", plan).await.expect(200);
    told.refused("no add-on", &app.admin("Owner"), "GET /v1/sync", "", None)
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let app = tenant().await;
    let owner = app.admin("Owner");
    let mut told = Told::default();
    for request in [
        "GET /v1/nothing",
        "DELETE /v1/tenant",
        "PATCH /v1/profiles",
        "POST /v1/health",
    ] {
        told.refused("not there", &owner, request, "", None).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn entra_does_not_answer() {
    let app = tenant().await;
    let owner = app.admin("Owner");
    let mut settings = app.services.settings.clone();
    settings.entra_url = "http://127.0.0.1:1".to_owned();
    let services = app.with_settings(settings).await;
    let router = rollcall_profile_api::router(services).expect("API not created");
    let request = Request::get("/v1/tenant")
        .header("authorization", format!("Bearer {}", owner.bearer()))
        .body(Body::empty());
    let answer = call(&router, request.expect("invalid request")).await;
    let mut told = Told::default();
    told.add("Entra is silent\nGET /v1/tenant", &answer);
    insta::assert_snapshot!(told.steady());
}

/// The other snapshots sort names; this one has the order of the response.
#[tokio::test]
async fn a_problem_as_it_is_sent() {
    let app = tenant().await;
    app.installed("3.74").await;
    let mut sent = String::new();
    for (method, path) in [
        ("GET", "/v1/runs?job=everything"),
        ("GET", "/v1/directory/users"),
        ("POST", "/v1/runs"),
    ] {
        let (status, media_type, bytes) = app.admin("Owner").raw(method, path).await;
        let body = lines(&String::from_utf8(bytes).expect("not UTF-8"));
        writeln!(sent, "{status} {media_type}\n{body}\n").expect("text not written");
    }
    insta::assert_snapshot!(steady(&sent));
}
