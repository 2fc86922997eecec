//! Problems if a service behind the API does not respond, or stored data is damaged.

use rollcall_runtime::Settings;
use serde_json::json;

use super::super::Told;
use crate::harness::{TestApp, TestTenant};

/// Changes the settings, so that something the services need is missing.
async fn without(app: &mut TestApp, change: impl FnOnce(&mut Settings)) {
    let mut settings = app.services.settings.clone();
    change(&mut settings);
    app.services = app.with_settings(settings).await;
}

#[tokio::test]
async fn the_table_does_not_answer() {
    let mut app = Box::pin(TestApp::of(TestTenant::small())).await;
    without(&mut app, |settings| {
        "no-such-table".clone_into(&mut settings.table);
    })
    .await;
    let mut told = Told::default();
    let owner = app.admin("Owner");
    for request in ["GET /v1/tenant", "GET /v1/profiles", "GET /v1/connections"] {
        told.refused("no table", &owner, request, "", None).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn the_objects_are_gone() {
    let mut app = Box::pin(TestApp::ready(TestTenant::small())).await;
    without(&mut app, |settings| {
        "no-such-bucket".clone_into(&mut settings.bucket);
    })
    .await;
    let mut told = Told::default();
    let owner = app.admin("Owner");
    for request in ["GET /v1/schema", "GET /v1/users"] {
        told.refused("no bucket", &owner, request, "", None).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn the_queue_does_not_answer() {
    let mut app = Box::pin(TestApp::ready(TestTenant::small())).await;
    without(&mut app, |settings| {
        settings.maintenance_queue_url += "-gone";
        settings.refresh_queue_url += "-gone";
    })
    .await;
    let mut told = Told::default();
    let owner = app.admin("Owner");
    let body = Some(json!({"job": "maintenance"}));
    told.refused("no queue", &owner, "POST /v1/runs", "", body)
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn the_services_own_app_is_not_there() {
    let tenant = TestTenant::small().global_admin("Ada");
    let mut app = Box::pin(TestApp::ready(tenant)).await;
    app.installed("3.74").await;
    without(&mut app, |settings| {
        "no-such-prefix".clone_into(&mut settings.secret_prefix);
    })
    .await;
    let mut told = Told::default();
    let ada = app.person("Ada", &["Owner"], true);
    let connect = "POST /v1/connections/entra/connect";
    told.refused("no app", &ada, connect, "", Some(json!({})))
        .await;
    app.installed("3.73").await;
    let people = "GET /v1/directory/users";
    told.refused("no registration", &app.admin("Owner"), people, "", None)
        .await;
    insta::assert_snapshot!(told.steady());
}
