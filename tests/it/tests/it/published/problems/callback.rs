//! Redirects after Microsoft's pages: their results, pages and problems.

use std::fmt::Write;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use lambda_runtime::tower::ServiceExt;
use rollcall_simulators::world::{ExchangePlan, Mailbox};
use rollcall_simulators::{ConsentChoice, TokenFlaw};
use serde_json::json;

use super::super::steady;
use super::says;
use crate::harness::{Admin, PUBLIC, TestApp, TestTenant};

/// The responses to browsers and programs, in order.
#[derive(Default)]
struct Seen(String);

impl Seen {
    async fn send(&mut self, app: &TestApp, what: &str, request: Request<Body>) -> String {
        let router =
            rollcall_oauth_callback::router(app.services.clone()).expect("router not created");
        let response = router.oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        writeln!(self.0, "## {what}\n{}", parts.status.as_u16()).expect("text not written");
        for (name, value) in &parts.headers {
            if name != "x-request-id" && name != "content-length" {
                let value = value.to_str().expect("not UTF-8");
                writeln!(self.0, "{name}: {value}").expect("text not written");
            }
        }
        let bytes = to_bytes(body, 1 << 20).await.expect("body not read");
        writeln!(self.0, "{}\n", String::from_utf8_lossy(&bytes)).expect("text not written");
        let location = parts.headers.get("location");
        let location = location.map(|value| value.to_str().expect("not UTF-8").to_owned());
        location.unwrap_or_default()
    }

    /// Calls the callback with this URL; returns the URL to which it redirects.
    async fn back(&mut self, app: &TestApp, what: &str, back: &str) -> String {
        let url = url::Url::parse(back).expect("invalid URL");
        let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let request = Request::get(target).header("accept", "text/html");
        let request = request.body(Body::empty()).expect("invalid request");
        self.send(app, what, request).await
    }
}

async fn newest() -> TestApp {
    let tenant = TestTenant::small()
        .global_admin("Ada")
        .global_admin("Grace");
    let app = Box::pin(TestApp::of(tenant)).await;
    app.installed("3.74").await;
    app
}

/// Begins to connect as Ada; returns the URL of Microsoft's sign-in.
async fn begin(app: &TestApp) -> String {
    let ada = app.person("Ada", &[], true);
    let body = json!({"returnTo": "/settings/api-keys?tab=2"});
    let begun = ada.post("/v1/connections/entra/connect", body).await;
    let begun = begun.expect(201);
    begun.body["url"].as_str().expect("no URL").to_owned()
}

fn login(name: &str) -> String {
    TestApp::address(name)
}

#[tokio::test]
async fn states_that_are_not_good() {
    let app = newest().await;
    let mut seen = Seen::default();
    for (what, accept) in [
        ("a browser", "text/html,*/*"),
        ("a program", "application/json"),
    ] {
        let request = Request::get("/oauth/callback?code=c&state=unknown").header("accept", accept);
        let request = request.body(Body::empty()).expect("invalid request");
        seen.send(&app, what, request).await;
    }
    for (method, path) in [
        ("GET", "/oauth/other"),
        ("PUT", "/oauth/callback"),
        ("POST", "/oauth/callback"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).expect("invalid request");
        seen.send(&app, &format!("{method} {path}"), request).await;
    }
    let mut app = app;
    let mut settings = app.services.settings.clone();
    "no-such-table".clone_into(&mut settings.table);
    app.services = app.with_settings(settings).await;
    let back = format!("{PUBLIC}/oauth/callback?code=c&state=any");
    seen.back(&app, "the table is silent", &back).await;
    insta::assert_snapshot!(steady(&seen.0));
}

#[tokio::test]
async fn the_way_to_a_connected_directory() {
    let app = newest().await;
    let mut seen = Seen::default();
    let url = begin(&app).await;
    let back = app.sign_in(&url, &login("Ada"), ConsentChoice::Decline);
    seen.back(&app, "declined at the sign-in", &back).await;
    for (what, name) in [
        ("another administrator", "Grace"),
        ("no administrator", "Alan"),
    ] {
        let back = app.sign_in(&begin(&app).await, &login(name), ConsentChoice::Accept);
        seen.back(&app, what, &back).await;
    }
    let back = app.sign_in(&begin(&app).await, &login("Ada"), ConsentChoice::Accept);
    let consent = seen.back(&app, "signed in", &back).await;
    let no = app.sign_in(&consent, &login("Ada"), ConsentChoice::Decline);
    seen.back(&app, "declined at the consent", &no).await;
    app.edit(|outside| outside.world.behaviour.id_token_flaw = Some(TokenFlaw::WrongKey));
    let back = app.sign_in(&begin(&app).await, &login("Ada"), ConsentChoice::Accept);
    seen.back(&app, "a forged identity", &back).await;
    app.edit(|outside| outside.world.behaviour.id_token_flaw = None);
    app.fault(
        "/oauth2/v2.0/token",
        says(503, "temporarily_unavailable"),
        1,
        10,
    );
    let back = app.sign_in(&begin(&app).await, &login("Ada"), ConsentChoice::Accept);
    seen.back(&app, "Microsoft is silent", &back).await;
    app.clear_faults();
    let back = app.sign_in(&begin(&app).await, &login("Ada"), ConsentChoice::Accept);
    let consent = app.come_back(&back).await.url.to_string();
    let back = app.sign_in(&consent, &login("Ada"), ConsentChoice::Accept);
    seen.back(&app, "connected", &back).await;
    seen.back(&app, "once more", &back).await;
    insta::assert_snapshot!(steady(&seen.0));
}

/// Every cause with which Microsoft's pages can redirect to the callback.
#[tokio::test]
async fn errors_of_microsofts_pages() {
    let app = newest().await;
    let mut seen = Seen::default();
    for (error, number) in [
        ("access_denied", 65_004),
        ("access_denied", 90_094),
        ("access_denied", 0),
        ("consent_required", 65_001),
        ("interaction_required", 50_076),
        ("login_required", 50_058),
        ("invalid_client", 7_000_222),
        ("invalid_request", 50_011),
        ("unauthorized_client", 700_016),
        ("server_error", 90_033),
        ("temporarily_unavailable", 0),
        ("<script>alert(1)</script>", 0),
    ] {
        let begun = url::Url::parse(&begin(&app).await).expect("invalid URL");
        let state = begun.query_pairs().find(|(name, _)| name == "state");
        let state = state.expect("no state").1.into_owned();
        let description = format!("AADSTS{number}: words");
        let mut back = format!("{PUBLIC}/oauth/callback")
            .parse::<url::Url>()
            .expect("invalid URL");
        back.query_pairs_mut()
            .append_pair("error", error)
            .append_pair(
                "error_description",
                if number == 0 { "words" } else { &description },
            )
            .append_pair("state", &state);
        seen.back(&app, &format!("{error} {number}"), back.as_str())
            .await;
    }
    insta::assert_snapshot!(steady(&seen.0));
}

/// Begins to connect a catalog; returns the redirect after the account's sign-in.
async fn account(app: &TestApp, cara: &Admin, name: &str, choice: ConsentChoice) -> String {
    let path = format!("{}/connect", app.mail_path("Academy"));
    let begun = cara
        .post(&path, json!({"returnTo": "/notifications"}))
        .await;
    let begun = begun.expect(201);
    let url = begun.body["url"].as_str().expect("no URL").to_owned();
    app.sign_in(&url, &login(name), choice)
}

#[tokio::test]
async fn accounts_of_catalogs() {
    let shared = Mailbox {
        shared: true,
        exchange: ExchangePlan::None,
        ..Mailbox::default()
    };
    let own = Mailbox {
        on_premises: true,
        ..Mailbox::default()
    };
    let tenant = TestTenant::small()
        .person("Events", "Oslo")
        .mailbox("Events", Mailbox::default())
        .person("Team", "Oslo")
        .mailbox("Team", shared)
        .person("Old", "Oslo")
        .mailbox("Old", own);
    let app = Box::pin(TestApp::ready(tenant)).await;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    let path = app.mail_path("Academy");
    let on = cara.put(&path, "\"0\"", json!({"enabled": true})).await;
    on.expect(200);
    let mut seen = Seen::default();
    for (what, name, choice) in [
        ("declined", "Events", ConsentChoice::Decline),
        ("a shared mailbox", "Team", ConsentChoice::Accept),
        ("a mailbox elsewhere", "Old", ConsentChoice::Accept),
        ("signed in", "Events", ConsentChoice::Accept),
    ] {
        let back = account(&app, &cara, name, choice).await;
        seen.back(&app, what, &back).await;
    }
    app.fault("/me", says(403, "Authorization_RequestDenied"), 1, 10);
    let back = account(&app, &cara, "Events", ConsentChoice::Accept).await;
    seen.back(&app, "it may not be looked at", &back).await;
    app.clear_faults();
    app.fault("/me", says(503, "ServiceUnavailable"), 1, 10);
    let back = account(&app, &cara, "Events", ConsentChoice::Accept).await;
    seen.back(&app, "Graph is silent", &back).await;
    insta::assert_snapshot!(steady(&seen.0));
}
