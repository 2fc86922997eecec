//! Tests of `$batch`: limits, order, dependencies, quota and log records per part.

use std::collections::HashMap;

use reqwest::Method;
use rollcall_simulators::{Fault, FaultKind, Throttle};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::site::{Site, TENANT, error};

async fn batch(site: &Site, requests: Vec<Value>) -> (u16, Value) {
    site.graph(Method::POST, "/$batch", Some(json!({"requests": requests})))
        .await
}

/// Returns the responses by id.
fn by_id(body: &Value) -> HashMap<String, Value> {
    let responses = body["responses"].as_array().expect("responses");
    let id = |it: &Value| it["id"].as_str().unwrap_or_default().to_owned();
    responses.iter().map(|it| (id(it), it.clone())).collect()
}

fn add(site: &Site, id: usize, group: Uuid, people: &[Uuid]) -> Value {
    json!({
        "id": id.to_string(),
        "method": "PATCH",
        "url": format!("/groups/{group}"),
        "headers": {"Content-Type": "application/json"},
        "body": site.bind(people),
    })
}

#[tokio::test]
async fn every_part_is_answered_in_some_other_order() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let people = site.people(100);
    let parts = people
        .chunks(5)
        .enumerate()
        .map(|(at, ids)| add(&site, at, group, ids))
        .collect();
    let (status, body) = batch(&site, parts).await;
    assert_eq!(status, 200);
    let responses = body["responses"].as_array().expect("responses");
    let order: Vec<&str> = responses
        .iter()
        .filter_map(|it| it["id"].as_str())
        .collect();
    let sorted: Vec<String> = (0..20).map(|at| at.to_string()).collect();
    assert_ne!(order, sorted, "shuffled");
    assert_eq!(by_id(&body).len(), 20);
    assert!(responses.iter().all(|it| it["status"] == 204));
    assert_eq!(
        site.get(&format!("/groups/{group}/members/$count")).await.1,
        json!(100)
    );

    let log = site.simulators.requests(TENANT);
    let inside: Vec<_> = log.iter().filter(|record| record.in_batch).collect();
    assert_eq!(inside.len(), 20);
    assert!(
        inside
            .iter()
            .all(|it| it.path == format!("/graph/v1.0/groups/{group}"))
    );
    assert!(
        inside[0]
            .body
            .as_ref()
            .is_some_and(|body| body["members@odata.bind"].is_array())
    );
    assert_eq!(
        log.iter()
            .filter(|it| it.path.ends_with("$batch") && !it.in_batch)
            .count(),
        1
    );
}

#[tokio::test]
async fn malformed_batches_fail_as_a_whole() {
    let site = Site::new().await;
    let get = |id: &str| json!({"id": id, "method": "GET", "url": "/organization"});
    let many = (0..21).map(|id| get(&id.to_string())).collect();
    let mut without_type = get("1");
    without_type["body"] = json!({"x": 1});
    let mut forward = get("1");
    forward["dependsOn"] = json!(["2"]);
    let refused = [
        many,
        vec![get("a"), get("A")],
        vec![without_type],
        vec![forward, get("2")],
        vec![json!({"id": "1", "method": "POST", "url": "/$batch"})],
        vec![],
    ];
    for requests in refused {
        let (status, body) = batch(&site, requests.clone()).await;
        assert_eq!(
            (status, error(&body).0),
            (400, "BadRequest"),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn parts_fail_alone_and_dependants_follow() {
    let site = Site::new().await;
    let stranger = Uuid::from_u128(1);
    let group = site.group("rollcall-1").await;
    let delete = |id: &str, who: Uuid| json!({"id": id, "method": "DELETE", "url": format!("/groups/{group}/members/{who}/$ref")});
    let mut dependant = json!({"id": "3", "method": "GET", "url": "/organization"});
    dependant["dependsOn"] = json!(["1"]);
    let organization = json!({"id": "2", "method": "GET", "url": "organization"});
    let (status, body) = batch(&site, vec![delete("1", stranger), organization, dependant]).await;
    let parts = by_id(&body);
    assert_eq!(status, 200);
    assert_eq!(parts["1"]["status"], 404);
    assert_eq!(error(&parts["1"]["body"]).0, "Request_ResourceNotFound");
    assert_eq!(parts["2"]["status"], 200);
    assert_eq!(parts["2"]["body"]["value"][0]["id"], json!(TENANT));
    assert_eq!(parts["3"]["status"], 424);
}

#[tokio::test]
async fn the_quota_counts_parts_and_reports_when_to_come_back() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    site.simulators.edit(TENANT, |state| {
        state.world.behaviour.throttle = Some(Throttle {
            writes_per_window: 3,
            window_ms: 60_000,
            ..Throttle::default()
        });
    });
    let people = site.people(5);
    let parts = people
        .iter()
        .enumerate()
        .map(|(at, id)| add(&site, at, group, &[*id]))
        .collect();
    let (status, body) = batch(&site, parts).await;
    assert_eq!(status, 200, "the batch itself is fine");
    let parts = by_id(&body);
    let statuses: Vec<&Value> = (0..5).map(|at| &parts[&at.to_string()]["status"]).collect();
    assert_eq!(statuses, [204, 204, 204, 429, 429]);
    let headers = &parts["4"]["headers"];
    let wait: f64 = headers["Retry-After"]
        .as_str()
        .and_then(|it| it.parse().ok())
        .expect("seconds");
    assert!(wait > 0.0 && wait <= 60.0, "{wait}");
    let scope = headers["x-ms-throttle-scope"].as_str().expect("a scope");
    assert!(scope.starts_with("Tenant_Application/Write/"), "{scope}");
    assert_eq!(
        site.get("/organization").await.0,
        200,
        "reads are not limited"
    );

    site.simulators.edit(TENANT, |state| {
        let throttle = state.world.behaviour.throttle.as_mut().expect("the quota");
        throttle.window_ms = 0;
    });
    let path = format!("/groups/{group}");
    assert_eq!(
        site.graph(Method::PATCH, &path, Some(site.bind(&people[3..])))
            .await
            .0,
        204
    );
}

#[tokio::test]
async fn faults_strike_single_parts() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let kind = FaultKind::Status {
        code: 503,
        retry_after: Some(1.5),
        body: None,
    };
    site.simulators.add_fault(
        TENANT,
        Fault::once(format!("/groups/{group}"), kind).at(2, 1),
    );
    let people = site.people(3);
    let parts = people
        .iter()
        .enumerate()
        .map(|(at, id)| add(&site, at, group, &[*id]))
        .collect();
    let (_, body) = batch(&site, parts).await;
    let parts = by_id(&body);
    assert_eq!(parts["0"]["status"], 204);
    assert_eq!(
        (&parts["1"]["status"], &parts["1"]["headers"]["Retry-After"]),
        (&json!(503), &json!("1.5"))
    );
    assert_eq!(parts["2"]["status"], 204);
    assert_eq!(
        site.get(&format!("/groups/{group}/members/$count")).await.1,
        json!(2)
    );
}
