//! The directory connection (S0): begun in the API, continued on Microsoft's pages, proved.

mod failures;
mod features;

use rollcall_domain::base::audit::Action;
use rollcall_simulators::ConsentChoice;
use serde_json::{Value, json};

use crate::harness::{FRONTEND, Return, TestApp, TestTenant};

/// Starts a tenant of the newest version whose Global Administrator is Ada.
async fn app() -> TestApp {
    let app = TestApp::of(TestTenant::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    app
}

/// Returns the directory connection as the API shows it.
async fn shown(app: &TestApp) -> Value {
    let list = app
        .admin("LmsAdmin")
        .get("/v1/connections")
        .await
        .expect(200);
    list.body["items"][0].clone()
}

/// Begins to connect as Ada; returns the URL of Microsoft's sign-in.
async fn begin(app: &TestApp, return_to: &str) -> String {
    let ada = app.person("Ada", &[], true);
    let body = json!({"returnTo": return_to});
    let begun = ada
        .post("/v1/connections/entra/connect", body)
        .await
        .expect(201);
    begun.body["url"].as_str().expect("not a string").to_owned()
}

/// Signs in; returns the URL of the consent page.
async fn to_consent(app: &TestApp, url: &str) -> String {
    let back = app.sign_in(url, &TestApp::address("Ada"), ConsentChoice::Accept);
    let onwards = app.come_back(&back).await.url.to_string();
    assert!(onwards.contains("/v2.0/adminconsent"), "{onwards}");
    onwards
}

/// Connects the directory completely.
async fn connect(app: &TestApp) -> Return {
    let url = begin(app, "/settings/api-keys?tab=2").await;
    let consent = to_consent(app, &url).await;
    let back = app.sign_in(&consent, &TestApp::address("Ada"), ConsentChoice::Accept);
    app.come_back(&back).await
}

async fn audited(app: &TestApp) -> Vec<Action> {
    let page = app
        .services
        .store
        .audit_page(app.id, None, 50)
        .await
        .expect("audit not read");
    let mut actions: Vec<_> = page
        .items
        .into_iter()
        .map(|(_, event)| event.action)
        .collect();
    actions.reverse();
    actions
}

/// Proves S0-16, S0-17, S0-19 and S0-20: sign in, accept, return to the first page, connected.
#[tokio::test]
async fn the_directory_is_connected() {
    let app = app().await;
    assert_eq!(shown(&app).await["status"], "not_configured");
    let back = connect(&app).await;
    let place = back.url.as_str();
    assert!(
        place.starts_with(&format!("{FRONTEND}/settings/api-keys?tab=2&")),
        "{place}"
    );
    assert_eq!(
        (back.param("connection"), back.param("result")),
        ("entra".to_owned(), "connected".to_owned())
    );
    let shown = shown(&app).await;
    assert_eq!(shown["status"], "connected");
    assert_eq!(
        (&shown["origin"], &shown["account"]),
        (&json!("consented"), &json!("Contoso"))
    );
    assert_eq!(shown["connectedBy"], TestApp::address("Ada"));
    assert_eq!(shown["capabilities"], json!(["directory", "guests"]));
    let actions = audited(&app).await;
    assert!(
        actions.ends_with(&[Action::ConnectionBegun, Action::ConnectionMade]),
        "{actions:?}"
    );
}

/// Proves S0-15: every other role is rejected, and nothing is stored.
#[tokio::test]
async fn only_a_global_administrator_connects() {
    let app = app().await;
    let before = app.items().await;
    for role in ["Owner", "SuperAdmin", "ItAdmin", "LmsAdmin", "CatalogAdmin"] {
        let refused = app
            .admin(role)
            .post("/v1/connections/entra/connect", json!({}))
            .await;
        refused.expect(403);
    }
    assert_eq!(app.items().await, before);
}

/// Proves S0-01, S0-02, S0-03 and C-01: before 3.74 the directory is connected by default and
/// cannot be set up here.
#[tokio::test]
async fn an_older_tenant_is_connected_by_default() {
    let app = app().await;
    app.installed("3.73.9").await;
    let seen = shown(&app).await;
    assert_eq!(
        (&seen["status"], &seen["origin"]),
        (&json!("connected"), &json!("default"))
    );
    assert_eq!(seen["applicable"], false);
    let ada = app.person("Ada", &[], true);
    let refused = ada
        .post("/v1/connections/entra/connect", json!({}))
        .await
        .expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:not-applicable");
    app.installed("3.74").await;
    assert_eq!(shown(&app).await["applicable"], true);
}

/// Proves S0-05: connecting the directory is the first step of the checklist.
#[tokio::test]
async fn connecting_comes_first() {
    let app = app().await;
    let lists = async || {
        let list = app
            .admin("ItAdmin")
            .get("/v1/connections")
            .await
            .expect(200);
        list.body["checklist"].clone()
    };
    let before = lists().await;
    assert_eq!(
        (&before[0]["id"], &before[0]["done"]),
        (&json!("connect_directory"), &json!(false))
    );
    connect(&app).await;
    assert_eq!(lists().await[0]["done"], true);
}

/// Proves S0-06 and C-02: it cannot be disconnected; the attempt returns the reason and is
/// audited.
#[tokio::test]
async fn it_cannot_be_disconnected() {
    let app = app().await;
    connect(&app).await;
    for admin in [app.person("Ada", &[], true), app.admin("Owner")] {
        let refused = admin.delete("/v1/connections/entra").await.expect(409);
        assert_eq!(refused.body["type"], "urn:rollcall:not-disconnectable");
        assert!(refused.detail().contains("cannot be disconnected"));
    }
    assert_eq!(shown(&app).await["status"], "connected");
    let tries = audited(&app).await;
    assert_eq!(
        tries
            .iter()
            .filter(|action| **action == Action::ConnectionEndRefused)
            .count(),
        2
    );
}

/// Proves S0-07: an attempt can be cancelled and repeated any number of times.
#[tokio::test]
async fn an_attempt_is_dropped_and_repeated() {
    let app = app().await;
    let url = begin(&app, "/").await;
    assert_eq!(shown(&app).await["status"], "pending_consent");
    app.admin("Owner")
        .delete("/v1/connections/entra")
        .await
        .expect(403);
    let ada = app.person("Ada", &[], true);
    ada.delete("/v1/connections/entra").await.expect(204);
    ada.delete("/v1/connections/entra").await.expect(204);
    to_consent(&app, &url).await;
    assert_eq!(connect(&app).await.param("result"), "connected");
}

/// Proves S0-23 and S0-24: all environments share the connection, including later ones.
#[tokio::test]
async fn every_environment_is_connected() {
    let app = app().await;
    let operators = uuid::Uuid::new_v4();
    let app = Box::pin(app.operated_by(operators)).await;
    let operator = app.admin_of(operators, &["Operator"]);
    let path = format!("/v1/operator/tenants/{}", app.id);
    let plan = json!({"plan": "success_plus"});
    operator
        .put(&format!("{path}/entitlement"), "", plan)
        .await
        .expect(200);
    let enter = async |names: Value| {
        let body = json!({"version": "3.74", "environments": names});
        operator
            .put(&format!("{path}/installation"), "", body)
            .await
            .expect(200);
        let list = app
            .admin("ItAdmin")
            .get("/v1/connections")
            .await
            .expect(200);
        list.body["environments"].clone()
    };
    let before = enter(json!(["Europe"])).await;
    assert_eq!(
        before,
        json!([{"name": "Europe", "status": "not_configured"}])
    );
    connect(&app).await;
    let after = enter(json!(["Europe", "Asia"])).await;
    let connected = |name| json!({"name": name, "status": "connected"});
    assert_eq!(after, json!([connected("Asia"), connected("Europe")]));
    let path = format!("{path}/installation");
    let refused = operator.put(&path, "", json!({"version": "new"}));
    assert_eq!(refused.await.expect(422).pointers(), ["/version"]);
}
