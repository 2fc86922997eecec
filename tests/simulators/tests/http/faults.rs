//! Tests of every kind of fault over HTTP.

use std::time::{Duration, Instant};

use reqwest::Method;
use rollcall_simulators::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::site::{Site, TENANT};

/// Returns the raw text of a Learn365 response, or the transport error.
async fn users(site: &Site) -> Result<String, reqwest::Error> {
    let url = format!(
        "{}/odata/v2/Users?$count=true",
        site.simulators.learn365_url()
    );
    let request = site.client.get(url).basic_auth("api", Some(&site.key));
    request.send().await?.text().await
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

async fn faulty(kind: FaultKind) -> Site {
    let site = Site::new().await;
    site.simulators.add_fault(
        TENANT,
        Fault::once("/odata/v2/Users", kind).method("GET").at(2, 1),
    );
    let first = users(&site)
        .await
        .expect("the first request is not affected");
    assert_eq!(
        parsed(&first)["@odata.count"],
        json!(parsed(&first)["value"].as_array().map(Vec::len))
    );
    site
}

async fn is_well_again(site: &Site) {
    let body = parsed(
        &users(site)
            .await
            .expect("the third request is not affected"),
    );
    assert!(
        body["value"]
            .as_array()
            .is_some_and(|rows| rows.len() > 100),
        "{body}"
    );
}

#[tokio::test]
async fn status_with_retry_after_and_body() {
    let body = json!({"error": {"code": "Busy", "message": "later"}});
    let kind = FaultKind::Status {
        code: 503,
        retry_after: Some(0.25),
        body: Some(body.clone()),
    };
    let site = faulty(kind).await;
    let url = format!("{}/odata/v2/Users", site.simulators.learn365_url());
    let request = site.client.get(url).basic_auth("api", Some(&site.key));
    let answer = request.send().await.expect("a response");
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "0.25");
    assert_eq!(parsed(&answer.text().await.expect("a body")), body);
    is_well_again(&site).await;
}

#[tokio::test]
async fn delay() {
    let site = faulty(FaultKind::Delay { ms: 200 }).await;
    let started = Instant::now();
    is_well_again(&site).await;
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn dropped_connection() {
    let site = faulty(FaultKind::Drop).await;
    assert!(users(&site).await.is_err(), "no response is received");
    assert_eq!(site.simulators.requests(TENANT)[1].status, 0);
    is_well_again(&site).await;
}

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done() {
    let site = Site::new().await;
    site.simulators
        .add_fault(TENANT, Fault::once("/groups(", FaultKind::LoseAnswer));
    let url = format!(
        "{}/v1.0/groups(uniqueName='r')",
        site.simulators.graph_url()
    );
    let body = crate::site::new_group("r");
    let request = site.client.patch(url).bearer_auth(&site.token);
    let request = request.header("Prefer", "create-if-missing").json(&body);
    assert!(request.send().await.is_err());
    assert!(site.state().group_by_unique_name("r").is_some());
    let path = "/groups(uniqueName='r')";
    assert_eq!(
        site.graph(Method::PATCH, path, Some(body)).await.0,
        204,
        "it already exists"
    );
}

#[tokio::test]
async fn broken_json() {
    let site = faulty(FaultKind::BrokenJson).await;
    let text = users(&site).await.expect("a response");
    assert!(text.starts_with('{'));
    assert!(serde_json::from_str::<Value>(&text).is_err());
    is_well_again(&site).await;
}

#[tokio::test]
async fn truncated_page() {
    let site = faulty(FaultKind::TruncatedPage).await;
    let body = parsed(&users(&site).await.expect("a response"));
    let rows = body["value"].as_array().expect("rows").len();
    assert!(rows > 0 && (rows as u64) < body["@odata.count"].as_u64().expect("a count"));
    assert!(body.get("@odata.nextLink").is_none());
    is_well_again(&site).await;
}

#[tokio::test]
async fn empty_page() {
    let site = faulty(FaultKind::EmptyPage).await;
    let body = parsed(&users(&site).await.expect("a response"));
    assert_eq!(
        (&body["value"], &body["@odata.count"]),
        (&json!([]), &json!(0))
    );
    is_well_again(&site).await;
}

#[tokio::test]
async fn cleared_faults_do_nothing() {
    let site = Site::new().await;
    let all = Fault::once("/learn365", FaultKind::Drop).at(1, u32::MAX);
    site.simulators.add_fault(TENANT, all);
    assert!(users(&site).await.is_err());
    assert!(users(&site).await.is_err());
    site.simulators.clear_faults(TENANT);
    is_well_again(&site).await;
}
