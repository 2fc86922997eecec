//! Problems of the directory sync: configuring, testing, running, deciding.

use rollcall_domain::directory::Phase;
use serde_json::{Value, json};

use super::super::Told;
use super::{NOTHING, says};
use crate::syncing::Office;

fn confirmed() -> Option<Value> {
    Some(json!({"confirm": true}))
}

#[tokio::test]
async fn before_it_is_configured() {
    let office = Office::small().await;
    let mut told = Told::default();
    for (request, body) in [
        ("POST /v1/sync/test", None),
        ("POST /v1/sync/activate", Some(json!({}))),
        ("POST /v1/sync/activate", Some(json!({"confirm": "yes"}))),
        ("POST /v1/sync/activate", confirmed()),
        ("POST /v1/sync/deactivate", None),
        ("POST /v1/sync/disconnect", Some(json!({"confirm": false}))),
        ("POST /v1/sync/disconnect", confirmed()),
        ("POST /v1/sync/connect", Some(json!({}))),
        ("POST /v1/sync/runs", None),
        ("GET /v1/sync/runs?cursor=zz", None),
        ("GET /v1/sync/runs/nonsense", None),
        ("GET /v1/sync/runs/2020-01-01T00:00:00Z", None),
        ("GET /v1/sync/pins?cursor=zz", None),
        ("DELETE /v1/sync/pins/zz", None),
        ("DELETE /v1/sync/pins/00", None),
    ] {
        told.refused("not configured", &office.owner, request, "", body)
            .await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn configurations_that_are_not_right() {
    let office = Office::small().await;
    let mut told = Told::default();
    let put = "PUT /v1/sync";
    let with = |fields: Value| Some(crate::admin::with(office.body(), fields));
    let bodies = [
        ("nothing", Some(json!({}))),
        (
            "no address",
            with(
                json!({"target": "ftp://lms.example", "defaultLanguage": "xx", "guard": {"maxPercent": 101}}),
            ),
        ),
        (
            "wrong kinds",
            with(
                json!({"target": 1, "guests": "yes", "strategy": "sometimes", "apply": "never", "teams": 1, "colour": 2}),
            ),
        ),
        (
            "wrong times",
            with(json!({"strategy": {"kind": "scheduled", "time": "25:00", "zone": "Mars"}})),
        ),
        ("nobody to tell", with(json!({"notify": NOTHING}))),
        (
            "filters",
            with(
                json!({"filters": {"graph": "department eq", "email": {"include": [""]}, "groups": "x, y"}}),
            ),
        ),
        (
            "filters of wrong kinds",
            with(json!({"filters": {"graph": " ", "email": 1, "groups": 2}})),
        ),
        (
            "an app of somebody else",
            with(
                json!({"entraApp": {"tenantId": NOTHING, "clientId": "my app", "clientSecret": NOTHING, "secretExpires": "soon"}}),
            ),
        ),
        ("a token", with(json!({"scimToken": "a b"}))),
        (
            "half an app",
            with(json!({"entraApp": {"clientId": NOTHING}})),
        ),
        (
            "the other half",
            with(json!({"entraApp": {"clientSecret": "simulated-secret"}})),
        ),
    ];
    for (what, body) in bodies {
        told.refused(what, &office.owner, put, "", body).await;
    }
    office.save(|_| ()).await.expect(200);
    told.refused("no If-Match", &office.owner, put, "", with(json!({})))
        .await;
    told.refused(
        "another version",
        &office.owner,
        put,
        "\"9\"",
        with(json!({})),
    )
    .await;
    let tag = office.owner.get("/v1/sync").await.expect(200);
    let tag = tag.header("etag").to_owned();
    let filter = with(json!({"filters": {"graph": "department eq"}}));
    told.refused("no filter", &office.owner, put, &tag, filter)
        .await;
    office
        .app
        .fault("/users", says(503, "ServiceUnavailable"), 1, 200);
    let filter = with(json!({"filters": {"graph": "department eq 'Sales'"}}));
    told.refused("Graph is silent", &office.owner, put, &tag, filter)
        .await;
    office.app.clear_faults();
    let mut moved = with(json!({"target": "http://127.0.0.1:9/scim"}));
    if let Some(Value::Object(body)) = &mut moved {
        body.remove("scimToken");
    }
    told.refused("the token of another host", &office.owner, put, &tag, moved)
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn steps_out_of_order() {
    let office = Office::small().await;
    let owner = &office.owner;
    let mut told = Told::default();
    let without =
        |body: &mut Value| _ = body.as_object_mut().expect("an object").remove("entraApp");
    office.save(without).await.expect(200);
    let activate = "POST /v1/sync/activate";
    told.refused("not connected", owner, activate, "", confirmed())
        .await;
    let run = "POST /v1/sync/runs";
    told.refused("not connected", owner, run, "", None).await;
    office.app.installed("3.74").await;
    let connect = "POST /v1/sync/connect";
    told.refused("no directory", owner, connect, "", Some(json!({})))
        .await;
    office.app.installed("3.73").await;
    told.refused("no consent", owner, connect, "", Some(json!({})))
        .await;
    office.consent(&["User.Read.All"]);
    told.refused("half a consent", owner, connect, "", Some(json!({})))
        .await;
    office
        .app
        .fault("/graph/", says(503, "ServiceUnavailable"), 1, 200);
    told.refused("Graph is silent", owner, connect, "", Some(json!({})))
        .await;
    office.app.clear_faults();
    office.save(|_| ()).await.expect(200);
    told.refused("not tested", owner, activate, "", confirmed())
        .await;
    let deactivate = "POST /v1/sync/deactivate";
    told.refused("not active", owner, deactivate, "", None)
        .await;
    owner.post("/v1/sync/test", json!({})).await.expect(200);
    owner
        .post("/v1/sync/activate", json!({"confirm": true}))
        .await
        .expect(202);
    told.refused("active already", owner, activate, "", confirmed())
        .await;
    office.work().await;
    owner.post("/v1/sync/runs", json!({})).await.expect(202);
    told.refused("just started", owner, run, "", None).await;
    office.set(|state| state.phase = Phase::Deactivated).await;
    told.refused("deactivated", owner, run, "", None).await;
    office.set(|state| state.phase = Phase::Disconnected).await;
    told.refused("disconnected", owner, run, "", None).await;
    let disconnect = "POST /v1/sync/disconnect";
    told.refused("disconnected", owner, disconnect, "", confirmed())
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn deciding_about_changes() {
    let mut office = Office::small().await;
    let first = office.active(|body| body["apply"] = json!("review")).await;
    let place = |run: &rollcall_domain::run::Run| {
        let at = run.request.slot.at().format("%Y-%m-%dT%H:%M:%SZ");
        format!("POST /v1/sync/runs/{at}/decisions")
    };
    let (owner, decide) = (office.owner.clone(), place(&first));
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
    let second = office.run().await;
    told.refused("superseded", &owner, &decide, "", all()).await;
    let decide = place(&second);
    let path = decide.trim_start_matches("POST ");
    let apply = json!({"all": "accept", "apply": true});
    owner.post(path, apply).await.expect(202);
    told.refused("decided", &owner, &decide, "", all()).await;
    office.work().await;
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
