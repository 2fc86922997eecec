//! Problems of the directory sync: configuring, testing, running, deciding.

use rollcall_domain::directory_sync::SyncPhase;
use serde_json::{Value, json};

use super::super::Told;
use super::{NOTHING, says};
use crate::directory_sync::SyncFixture;

fn confirmed() -> Value {
    json!({"confirm": true})
}

#[tokio::test]
async fn before_it_is_configured() {
    let fixture = SyncFixture::small().await;
    let mut told = Told::default();
    for (request, body) in [
        ("POST /v1/sync/test", None),
        ("POST /v1/sync/activate", Some(json!({}))),
        ("POST /v1/sync/activate", Some(json!({"confirm": "yes"}))),
        ("POST /v1/sync/activate", Some(confirmed())),
        ("POST /v1/sync/deactivate", None),
        ("POST /v1/sync/disconnect", Some(json!({"confirm": false}))),
        ("POST /v1/sync/disconnect", Some(confirmed())),
        ("POST /v1/sync/connect", Some(json!({}))),
        ("POST /v1/sync/runs", None),
        ("GET /v1/sync/runs?cursor=zz", None),
        ("GET /v1/sync/runs/nonsense", None),
        ("GET /v1/sync/runs/2020-01-01T00:00:00Z", None),
        ("GET /v1/sync/pins?cursor=zz", None),
        ("DELETE /v1/sync/pins/zz", None),
        ("DELETE /v1/sync/pins/00", None),
    ] {
        told.refused("not configured", &fixture.owner, request, "", body)
            .await;
    }
    insta::assert_snapshot!(told.steady());
}

/// Returns a valid body with other fields.
fn with(fixture: &SyncFixture, fields: Value) -> Value {
    crate::admin::with(fixture.body(), fields)
}

fn wrong_fields() -> Vec<(&'static str, Value)> {
    let daily = |time: Value| json!({"strategy": {"kind": "daily", "time": time}});
    vec![
        (
            "no address",
            json!({"target": "ftp://lms.example", "defaultLanguage": "xx", "guard": {"maxPercent": 101}}),
        ),
        (
            "wrong kinds",
            json!({"target": 1, "guests": "yes", "strategy": "sometimes", "apply": "never", "teams": 1, "colour": 2}),
        ),
        ("no strategy", json!({"strategy": {"kind": "hourly"}})),
        (
            "no time",
            json!({"strategy": {"kind": "daily", "zone": "Mars"}}),
        ),
        ("no time of the day", daily(json!("25:00"))),
        ("nobody to tell", json!({"notify": NOTHING})),
        (
            "filters",
            json!({"filters": {"graph": "department eq", "email": {"include": [""]}, "groups": "x, y"}}),
        ),
        (
            "filters of wrong kinds",
            json!({"filters": {"graph": " ", "email": 1, "groups": 2}}),
        ),
        (
            "an app of somebody else",
            json!({"entraApp": {"tenantId": NOTHING, "clientId": "my app", "clientSecret": NOTHING, "secretExpires": "soon"}}),
        ),
        ("a token", json!({"scimToken": "a b"})),
        ("half an app", json!({"entraApp": {"clientId": NOTHING}})),
        (
            "the other half",
            json!({"entraApp": {"clientSecret": "simulated-secret"}}),
        ),
    ]
}

#[tokio::test]
async fn configurations_that_are_not_right() {
    let fixture = SyncFixture::small().await;
    let mut told = Told::default();
    let put = "PUT /v1/sync";
    let nothing = Some(json!({}));
    told.refused("nothing", &fixture.owner, put, "", nothing)
        .await;
    for (what, fields) in wrong_fields() {
        let body = with(&fixture, fields);
        told.refused(what, &fixture.owner, put, "", Some(body))
            .await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn changes_of_a_configuration() {
    let fixture = SyncFixture::small().await;
    let owner = &fixture.owner;
    let mut told = Told::default();
    let put = "PUT /v1/sync";
    let saved = fixture.save(|_| ()).await.expect(200);
    let tag = saved.header("etag").to_owned();
    let same = || Some(with(&fixture, json!({})));
    told.refused("no If-Match", owner, put, "", same()).await;
    told.refused("another version", owner, put, "\"9\"", same())
        .await;
    let filter = |filter: &str| Some(with(&fixture, json!({"filters": {"graph": filter}})));
    told.refused("no filter", owner, put, &tag, filter("department eq"))
        .await;
    let silent = says(503, "ServiceUnavailable");
    fixture.app.fault("/users", silent, 1, 200);
    let sales = filter("department eq 'Sales'");
    told.refused("Graph is silent", owner, put, &tag, sales)
        .await;
    fixture.app.clear_faults();
    let mut moved = fixture.body();
    moved["target"] = json!("http://127.0.0.1:9/scim");
    moved
        .as_object_mut()
        .expect("not an object")
        .remove("scimToken");
    told.refused("the token of another host", owner, put, &tag, Some(moved))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn steps_out_of_order() {
    let fixture = SyncFixture::small().await;
    let owner = &fixture.owner;
    let mut told = Told::default();
    let without = |body: &mut Value| {
        _ = body
            .as_object_mut()
            .expect("not an object")
            .remove("entraApp");
    };
    fixture.save(without).await.expect(200);
    let activate = "POST /v1/sync/activate";
    told.refused("not connected", owner, activate, "", Some(confirmed()))
        .await;
    let run = "POST /v1/sync/runs";
    told.refused("not connected", owner, run, "", None).await;
    fixture.app.installed("3.74").await;
    let connect = "POST /v1/sync/connect";
    told.refused("no directory", owner, connect, "", Some(json!({})))
        .await;
    fixture.app.installed("3.73").await;
    told.refused("no consent", owner, connect, "", Some(json!({})))
        .await;
    fixture.consent(&["User.Read.All"]);
    told.refused("half a consent", owner, connect, "", Some(json!({})))
        .await;
    fixture
        .app
        .fault("/graph/", says(503, "ServiceUnavailable"), 1, 200);
    told.refused("Graph is silent", owner, connect, "", Some(json!({})))
        .await;
    fixture.app.clear_faults();
    fixture.save(|_| ()).await.expect(200);
    told.refused("not tested", owner, activate, "", Some(confirmed()))
        .await;
    let deactivate = "POST /v1/sync/deactivate";
    told.refused("not active", owner, deactivate, "", None)
        .await;
    owner.post("/v1/sync/test", json!({})).await.expect(200);
    owner
        .post("/v1/sync/activate", json!({"confirm": true}))
        .await
        .expect(202);
    told.refused("active already", owner, activate, "", Some(confirmed()))
        .await;
    fixture.work().await;
    owner.post("/v1/sync/runs", json!({})).await.expect(202);
    told.refused("just started", owner, run, "", None).await;
    fixture
        .set(|state| state.phase = SyncPhase::Deactivated)
        .await;
    told.refused("deactivated", owner, run, "", None).await;
    fixture
        .set(|state| state.phase = SyncPhase::Disconnected)
        .await;
    told.refused("disconnected", owner, run, "", None).await;
    let disconnect = "POST /v1/sync/disconnect";
    told.refused("disconnected", owner, disconnect, "", Some(confirmed()))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn deciding_about_changes() {
    let mut fixture = SyncFixture::small().await;
    let first = fixture.active(|body| body["apply"] = json!("review")).await;
    let place = |run: &rollcall_domain::base::run::Run| {
        let at = run.request.slot.at().format("%Y-%m-%dT%H:%M:%SZ");
        format!("POST /v1/sync/runs/{at}/decisions")
    };
    let (owner, decide) = (fixture.owner.clone(), place(&first));
    let mut told = Told::default();
    for (what, body) in [
        ("nothing", json!({})),
        (
            "no such keys",
            json!({"accept": ["x"], "reject": ["y", "x"]}),
        ),
        ("too many", json!({"accept": vec![1; 3]})),
        ("wrong words", json!({"all": "perhaps", "apply": 1})),
    ] {
        told.refused(what, &owner, &decide, "", Some(body)).await;
    }
    let nowhere = "POST /v1/sync/runs/nonsense/decisions";
    let all = || Some(json!({"all": "accept"}));
    told.refused("no run", &owner, nowhere, "", all()).await;
    let second = fixture.run().await;
    told.refused("superseded", &owner, &decide, "", all()).await;
    let decide = place(&second);
    let path = decide.trim_start_matches("POST ");
    let apply = json!({"all": "accept", "apply": true});
    owner.post(path, apply).await.expect(202);
    told.refused("decided", &owner, &decide, "", all()).await;
    fixture.work().await;
    told.refused("nothing waits", &owner, &decide, "", all())
        .await;
    let changes = decide
        .replace("POST", "GET")
        .replace("decisions", "changes");
    for query in ["cursor=zz", "state=odd"] {
        let request = format!("{changes}?{query}");
        told.refused("no query", &owner, &request, "", None).await;
    }
    let photo = changes.replace("changes", "photo");
    told.refused("nobody started it", &owner, &photo, "", None)
        .await;
    insta::assert_snapshot!(told.steady());
}
