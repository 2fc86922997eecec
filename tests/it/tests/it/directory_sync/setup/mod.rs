//! Configuring, testing, activating, connecting, disconnecting.

mod connection_test;
mod lifecycle;

use rollcall_domain::base::run::RunStatus;
use rollcall_simulators::FaultKind;
use serde_json::{Value, json};

use super::SyncFixture;
use connection_test::check;

/// Proves S2-08, S2-11, S2-16, S2-18, S3-14 and X-09: the saved configuration is returned without
/// secrets, and omitted fields have their defaults.
#[tokio::test]
async fn a_configuration_comes_back_without_its_secrets() {
    let fixture = SyncFixture::small().await;
    fixture.owner.get("/v1/sync").await.expect(404);
    let saved = fixture.save(|_| ()).await.expect(200);
    let read = fixture.owner.get("/v1/sync").await.expect(200);
    assert_eq!(saved.body, read.body);
    let body = read.body;
    assert_eq!(
        (&body["defaultLanguage"], &body["guests"], &body["jobTitle"]),
        (&json!("en"), &json!(true), &json!(true))
    );
    assert_eq!(
        body["strategy"],
        json!({"kind": "daily", "time": "04:00", "zone": "UTC"})
    );
    assert_eq!(
        (&body["apply"], &body["phase"], &body["status"]),
        (&json!("automatic"), &json!("inactive"), &json!("connected"))
    );
    assert_eq!(body["clientSecret"]["isSet"], true);
    let secret = fixture.body()["entraApp"]["clientSecret"]
        .as_str()
        .expect("not a string")
        .to_owned();
    let token = fixture.body()["scimToken"]
        .as_str()
        .expect("not a string")
        .to_owned();
    let shown = body.to_string();
    assert!(
        !shown.contains(&secret) && !shown.contains(&token),
        "{shown}"
    );
    // Saving without credentials retains the stored ones.
    let again = fixture
        .save(|body| {
            body.as_object_mut()
                .expect("not an object")
                .retain(|name, _| name != "entraApp" && name != "scimToken");
            body["strategy"] = json!({"kind": "daily", "time": "02:30", "zone": "Europe/London"});
        })
        .await
        .expect(200);
    assert_eq!(again.body["strategy"]["zone"], "Europe/London");
    assert_eq!(again.body["scimToken"]["isSet"], true);
    fixture
        .owner
        .put("/v1/sync", "\"1\"", fixture.body())
        .await
        .expect(412);
    fixture
        .owner
        .put("/v1/sync", "", fixture.body())
        .await
        .expect(428);
}

/// Proves S3-27, S3-34, S3-35 and S2-08: all problems are reported in one response, with their
/// pointers, including unknown fields.
#[tokio::test]
async fn everything_wrong_is_reported_at_once() {
    let fixture = SyncFixture::small().await;
    let mut answer = fixture
        .save(|body| {
            *body = json!({
                "target": "http://169.254.169.254/latest",
                "defaultLanguage": "english please",
                "strategy": {"kind": "daily", "time": "25:00", "zone": "UTC"},
                "notify": uuid::Uuid::nil(),
                "filters": {"graph": " ", "email": {}, "groups": "Sales, 7"},
                "guard": {"maxPercent": 200.0},
                "entraApp": {"tenantId": uuid::Uuid::nil().to_string(), "clientId": "x", "clientSecret": uuid::Uuid::nil().to_string()},
                "scimToken": "with blanks",
                "colour": "blue",
            });
        })
        .await
        .expect(422);
    answer.sort_errors();
    let places = answer.pointers();
    for place in [
        "/target",
        "/defaultLanguage",
        "/notify",
        "/filters/graph",
        "/filters/email",
        "/filters/groups",
        "/guard/maxPercent",
        "/entraApp/tenantId",
        "/entraApp/clientId",
        "/entraApp/clientSecret",
        "/scimToken",
        "/colour",
    ] {
        assert!(places.contains(&place), "{place} in {places:?}");
    }
    assert!(
        places.iter().any(|place| place.starts_with("/strategy")),
        "{places:?}"
    );
}

/// Proves S3-29 and S3-30: a rejected filter is reported with Graph's own message; an advanced
/// filter is sent with the parameters that Graph requires for it.
#[tokio::test]
async fn a_graph_filter_is_checked_when_it_is_saved() {
    let fixture = SyncFixture::small().await;
    fixture.save(|_| ()).await.expect(200);
    let wrong = fixture
        .save(|body| body["filters"] = json!({"graph": "department eq"}))
        .await
        .expect(422);
    assert_eq!(wrong.pointers(), ["/filters/graph"]);
    let said = wrong.body["errors"][0]["detail"]
        .as_str()
        .expect("not a string");
    assert!(
        said.starts_with("Microsoft Graph rejects the filter: "),
        "{said}"
    );
    let advanced = "not(endswith(mail,'@fabrikam.example'))";
    fixture
        .save(|body| body["filters"] = json!({"graph": advanced}))
        .await
        .expect(200);
    let asked = fixture.app.simulators.requests(fixture.app.id.uuid());
    let asked = asked
        .iter()
        .rfind(|it| it.path.contains("/v1.0/users?"))
        .expect("no such request");
    assert_eq!(asked.headers["consistencylevel"], "eventual");
    assert!(asked.path.contains("$count=true"));
}

/// The token is used for the address for which it was entered, and for no other host.
#[tokio::test]
async fn another_address_needs_the_token_again() {
    let fixture = SyncFixture::small().await;
    fixture.save(|_| ()).await.expect(200);
    let moved = |body: &mut Value| {
        body["target"] = json!("http://127.0.0.1:9/scim");
        body.as_object_mut()
            .expect("not an object")
            .remove("scimToken");
    };
    let refused = fixture.save(moved).await.expect(422);
    assert_eq!(refused.pointers(), ["/scimToken"]);
}

/// Proves S3-41 and S2-47: errors contain the request's id, and no secret.
#[tokio::test]
async fn problems_carry_the_requests_id() {
    let fixture = SyncFixture::small().await;
    let refused = fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(404);
    assert!(!refused.header("x-request-id").is_empty());
    fixture.save(|_| ()).await.expect(200);
    fixture.app.fault(
        "/scim/",
        FaultKind::Status {
            code: 500,
            body: None,
            retry_after: None,
        },
        1,
        50,
    );
    let test = fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        check(&test, "scim_address")["status"],
        "not_checked",
        "{test:#}"
    );
}

/// Runs and tests do not make an administrator's edit stale.
#[tokio::test]
async fn only_edits_of_people_raise_the_version() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let read = fixture.owner.get("/v1/sync").await.expect(200);
    assert_eq!(fixture.run().await.status, RunStatus::Succeeded);
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let saved = fixture
        .owner
        .put("/v1/sync", read.header("etag"), fixture.body());
    saved.await.expect(200);
    let stale = fixture
        .owner
        .put("/v1/sync", read.header("etag"), fixture.body());
    stale.await.expect(412);
}

/// Proves S2-09 and S2-10: the expiry of a secret is a date or a time in the future.
#[tokio::test]
async fn a_secret_ends_on_a_day() {
    let fixture = SyncFixture::small().await;
    let with = |ends: &'static str| {
        fixture.save(move |body| body["entraApp"]["secretExpires"] = json!(ends))
    };
    for (ends, what) in [
        ("next year", "must be a date"),
        ("2020-06-01", "has passed"),
        ("2020-06-01T00:00:00Z", "has passed"),
    ] {
        let refused = with(ends).await.expect(422);
        assert_eq!(refused.pointers(), ["/entraApp/secretExpires"]);
        assert!(refused.body.to_string().contains(what), "{}", refused.body);
    }
    let saved = with("2199-06-01").await.expect(200).body;
    assert_eq!(saved["source"]["secretExpires"], "2199-06-01T00:00:00Z");
}
