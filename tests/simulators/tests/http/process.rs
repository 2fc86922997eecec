//! Tests of the whole process: control API, several tenants, dump and restore, size, stop.

use std::time::{Duration, Instant};

use reqwest::Method;
use rollcall_simulators::generate::{self, WorldSpec};
use rollcall_simulators::{Simulators, TenantState};
use serde_json::json;
use uuid::Uuid;

use crate::site::{Site, TENANT, read, token};

#[tokio::test]
async fn the_control_api_does_what_the_rust_api_does() {
    let site = Site::new().await;
    let control = format!("{}/control", site.simulators.origin());
    let send = async |method: Method, path: &str, body: Option<String>| {
        let request = site.client.request(method, format!("{control}{path}"));
        let sent = request.body(body.unwrap_or_default()).send().await;
        sent.expect("the control API did not respond")
    };
    let health = read(send(Method::GET, "/health", None).await).await;
    assert_eq!(health, (200, json!({"status": "ok", "tenants": 1})));

    let other = Uuid::from_u128(77);
    let world = generate::world(&WorldSpec {
        tenant: other,
        users: 20,
        ..WorldSpec::default()
    });
    let text = serde_json::to_string(&world).expect("serialisable");
    let put = send(Method::PUT, "/tenants", Some(text)).await;
    assert_eq!(put.status(), 204);
    assert_eq!(site.simulators.dump(other).map(|it| it.world), Some(world));

    let path = format!("/tenants/{TENANT}/state");
    let (_, body) = read(send(Method::GET, &path, None).await).await;
    let mut state: TenantState = serde_json::from_value(body).expect("a state");
    assert_eq!(state, site.state());
    state.world.tenant.name = "Renamed".into();
    let text = serde_json::to_string(&state).expect("serialisable");
    let put = send(Method::PUT, &path, Some(text)).await;
    assert_eq!(put.status(), 204);
    assert_eq!(
        site.get("/organization").await.1["value"][0]["displayName"],
        "Renamed"
    );

    let requests = format!("/tenants/{TENANT}/requests");
    let (_, log) = read(send(Method::GET, &requests, None).await).await;
    assert_eq!(log[0]["path"], "/graph/v1.0/organization");
    assert_eq!(log[0]["headers"].get("authorization"), None);
    send(Method::DELETE, &requests, None).await;
    assert!(site.simulators.requests(TENANT).is_empty());

    let faults = format!("/tenants/{TENANT}/faults");
    let fault =
        json!({"matches": {"path_contains": "/organization"}, "kind": {"Status": {"code": 500}}});
    let posted = send(Method::POST, &faults, Some(fault.to_string())).await;
    assert_eq!(posted.status(), 204);
    assert_eq!(site.get("/organization").await.0, 500);
    let fault = json!({"matches": {"path_contains": "/"}, "times": 9, "kind": "Drop"});
    send(Method::POST, &faults, Some(fault.to_string())).await;
    send(Method::DELETE, &faults, None).await;
    assert_eq!(site.get("/organization").await.0, 200);
}

#[tokio::test]
async fn control_refuses_nonsense() {
    let site = Site::new().await;
    let control = format!("{}/control", site.simulators.origin());
    let cases = [
        (Method::PUT, "/tenants".to_owned(), 400),
        (Method::GET, "/tenants/x/state".to_owned(), 400),
        (Method::GET, format!("/tenants/{}/state", Uuid::nil()), 404),
        (Method::POST, format!("/tenants/{TENANT}/faults"), 400),
        (Method::GET, "/nothing".to_owned(), 404),
    ];
    for (method, path, expected) in cases {
        let request = site
            .client
            .request(method, format!("{control}{path}"))
            .body("{}");
        let (status, body) = read(request.send().await.expect("a response")).await;
        assert_eq!(status, expected, "{path}");
        assert!(body["error"]["message"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let site = Site::new().await;
    let other = Uuid::from_u128(77);
    let world = generate::world(&WorldSpec {
        tenant: other,
        seed: 9,
        users: 20,
        ..WorldSpec::default()
    });
    let stranger = world
        .people
        .iter()
        .find_map(|it| it.object_id)
        .expect("a user");
    let app = world.apps[0].clone();
    site.simulators.load(world);
    assert_eq!(site.get(&format!("/users/{stranger}")).await.0, 404);
    let wrong = token(
        &site.simulators,
        &site.client,
        TENANT,
        app.client_id,
        &app.client_secret,
    )
    .await;
    assert_eq!(wrong.1["error_codes"], json!([700_016]));
    assert!(site.simulators.requests(other).is_empty());
}

#[tokio::test]
async fn a_dump_restores_the_tenant_exactly() {
    let site = Site::new().await;
    let before = site.state();
    let group = site.group("rollcall-1").await;
    let changed = site.state();
    assert_ne!(before, changed);
    site.simulators.restore(before.clone());
    assert_eq!(site.get(&format!("/groups/{group}")).await.0, 404);
    site.simulators.restore(changed);
    assert_eq!(
        site.get(&format!("/groups/{group}")).await.0,
        200,
        "the token still works"
    );
}

#[tokio::test]
async fn stop_frees_the_port() {
    let simulators = Simulators::start(0).await.expect("a free port");
    let port: u16 = simulators
        .origin()
        .rsplit(':')
        .next()
        .and_then(|it| it.parse().ok())
        .expect("a port");
    assert!(Simulators::start(port).await.is_err(), "port in use");
    simulators.stop().await;
    let again = Simulators::start(port)
        .await
        .expect("the port is free again");
    assert_eq!(again.origin(), format!("http://127.0.0.1:{port}"));
}

#[test]
fn the_server_outlives_the_runtime_that_started_it() {
    let block = |future| {
        tokio::runtime::Runtime::new()
            .expect("a runtime")
            .block_on(future)
    };
    let simulators = block(Simulators::start(0)).expect("a free port");
    let url = format!("{}/control/health", simulators.origin());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answer = runtime
        .block_on(async { reqwest::get(url).await })
        .expect("a response");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn twenty_thousand_people_page_in_reasonable_time() {
    let spec = WorldSpec {
        tenant: TENANT,
        users: 20_000,
        courses: 200,
        enrolments_per_user: 5.0,
        ..WorldSpec::default()
    };
    let started = Instant::now();
    let site = Site::of(generate::world(&spec)).await;
    let learners = site
        .state()
        .world
        .people
        .iter()
        .filter(|it| it.lms_id.is_some())
        .count();
    let mut next = Some(format!(
        "{}/odata/v2/Users?$expand=UserFieldValues",
        site.simulators.learn365_url()
    ));
    let (mut rows, mut pages) = (0, 0);
    while let Some(url) = next {
        let request = site.client.get(url).basic_auth("api", Some(&site.key));
        let (_, body) = read(request.send().await.expect("a response")).await;
        rows += body["value"].as_array().map_or(0, Vec::len);
        pages += 1;
        next = body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!((rows, pages), (learners, 2));
    let group = site.group("rollcall-1").await;
    for people in site.people(10_000).chunks(20) {
        let (status, _) = site
            .graph(
                Method::PATCH,
                &format!("/groups/{group}"),
                Some(site.bind(people)),
            )
            .await;
        assert_eq!(status, 204);
    }
    let path = format!("/groups/{group}/members/$count");
    assert_eq!(site.get(&path).await.1, json!(10_000));
    // Generous, for a debug build on a loaded machine; quadratic work would take minutes.
    assert!(
        started.elapsed() < Duration::from_mins(1),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn drop_ends_the_server() {
    let simulators = Simulators::start(0).await.expect("a free port");
    let url = format!("{}/control/health", simulators.origin());
    drop(simulators);
    for _ in 0..100 {
        if reqwest::get(&url).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still serving after five seconds");
}
