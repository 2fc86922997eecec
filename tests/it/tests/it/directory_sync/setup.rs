//! Configuring, testing, activating, connecting, disconnecting.

use rollcall_domain::base::run::RunStatus;
use rollcall_simulators::FaultKind;
use serde_json::{Value, json};

use super::{Office, count};

/// Proves S2-08, S2-11, S2-16, S2-18, S3-14 and X-09: what was chosen comes back,
/// secrets do not, and what is left out has its default.
#[tokio::test]
async fn a_configuration_comes_back_without_its_secrets() {
    let office = Office::small().await;
    office.owner.get("/v1/sync").await.expect(404);
    let saved = office.save(|_| ()).await.expect(200);
    let read = office.owner.get("/v1/sync").await.expect(200);
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
    let secret = office.body()["entraApp"]["clientSecret"]
        .as_str()
        .expect("not a string")
        .to_owned();
    let token = office.body()["scimToken"]
        .as_str()
        .expect("not a string")
        .to_owned();
    let shown = body.to_string();
    assert!(
        !shown.contains(&secret) && !shown.contains(&token),
        "{shown}"
    );
    // Saved again without credentials, they stay.
    let again = office
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
    office
        .owner
        .put("/v1/sync", "\"1\"", office.body())
        .await
        .expect(412);
    office
        .owner
        .put("/v1/sync", "", office.body())
        .await
        .expect(428);
}

/// Proves S3-27, S3-34, S3-35 and S2-08: everything wrong is told at once, with
/// its place; an unknown field, too.
#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let office = Office::small().await;
    let mut answer = office
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

/// Proves S3-29 and S3-30: a filter is refused in Graph's own words; an advanced one
/// is asked with what Graph needs for it.
#[tokio::test]
async fn a_graph_filter_is_checked_when_it_is_saved() {
    let office = Office::small().await;
    office.save(|_| ()).await.expect(200);
    let wrong = office
        .save(|body| body["filters"] = json!({"graph": "department eq"}))
        .await
        .expect(422);
    assert_eq!(wrong.pointers(), ["/filters/graph"]);
    let said = wrong.body["errors"][0]["detail"]
        .as_str()
        .expect("not a string");
    assert!(
        said.starts_with("Microsoft Graph refuses the filter: "),
        "{said}"
    );
    let advanced = "not(endswith(mail,'@fabrikam.example'))";
    office
        .save(|body| body["filters"] = json!({"graph": advanced}))
        .await
        .expect(200);
    let asked = office.app.simulators.requests(office.app.id.uuid());
    let asked = asked
        .iter()
        .rfind(|it| it.path.contains("/v1.0/users?"))
        .expect("asked");
    assert_eq!(asked.headers["consistencylevel"], "eventual");
    assert!(asked.path.contains("$count=true"));
}

fn check<'a>(body: &'a Value, id: &str) -> &'a Value {
    let checks = body["test"]["checks"].as_array().expect("checks");
    checks
        .iter()
        .find(|check| check["id"] == json!(id))
        .unwrap_or(&Value::Null)
}

/// Proves S2-12…S2-15, S2-30, S3-37 and X-10: the test looks at the credential, each
/// permission, a sample, the filters and the platform, and writes nothing.
#[tokio::test]
async fn a_test_looks_at_everything_and_writes_nothing() {
    let office = Office::small().await;
    let sales = office.group("Sales", &["Ada"]);
    office
        .save(|body| {
            body["filters"] = json!({"groups": format!("{sales}, {}", uuid::Uuid::from_u128(7))});
        })
        .await
        .expect(200);
    office.app.forget_requests();
    let test = office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(office.app.writes(), [""; 0]);
    assert_eq!(test["test"]["ok"], true, "{:#}", test["test"]);
    let groups = check(&test, "entra_groups");
    assert_eq!(groups["status"], "warning");
    assert!(
        groups["detail"]
            .as_str()
            .expect("not a string")
            .contains("00000000-0000-0000-0000-000000000007")
    );
    assert_eq!(
        (&test["tested"], &check(&test, "scim_read")["status"]),
        (&json!(true), &json!("passed"))
    );
}

/// Proves S2-13, S2-14 and S2-15: less permission, another token, an expired secret:
/// each is told by its own check, with the field to mend.
#[tokio::test]
async fn a_test_tells_each_thing_that_is_wrong() {
    let office = Office::small().await;
    office.save(|_| ()).await.expect(200);
    office
        .app
        .edit(|outside| outside.world.apps[0].roles = vec!["User.Read.All".to_owned()]);
    office
        .app
        .edit(|outside| outside.scim.token = Some("another".to_owned()));
    let test = office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    let missing = check(&test, "entra_group_read_all");
    assert_eq!(missing["status"], "failed", "{:#}", test["test"]);
    assert!(
        missing["detail"]
            .as_str()
            .expect("not a string")
            .starts_with("Group.Read.All is missing")
    );
    assert_eq!(check(&test, "entra_user_read_all")["status"], "passed");
    assert_eq!(check(&test, "scim_read")["pointer"], "/scimToken");
    assert_eq!(test["tested"], false);
    office
        .app
        .edit(|outside| outside.world.apps[0].secret_expired = true);
    office
        .save(|body| body["teams"] = json!({}))
        .await
        .expect(200);
    let test = office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    let sign_in = check(&test, "entra_sign_in");
    assert_eq!(
        (&sign_in["status"], &sign_in["pointer"]),
        (&json!("failed"), &json!("/entraApp/clientSecret"))
    );
    assert_eq!(
        check(&test, "entra_group_read_all"),
        &Value::Null,
        "groups are not needed"
    );
}

/// Proves S2-31, S2-32 and S2-33: no activation without a passing test of exactly
/// this configuration, nor without confirmation; then the first run begins.
#[tokio::test]
async fn only_a_tested_configuration_is_activated() {
    let office = Office::small().await;
    office.save(|_| ()).await.expect(200);
    let confirm = json!({"confirm": true});
    office
        .owner
        .post("/v1/sync/activate", json!({}))
        .await
        .expect(422);
    office
        .owner
        .post("/v1/sync/activate", json!({"confirm": false}))
        .await
        .expect(422);
    office
        .owner
        .post("/v1/sync/activate", confirm.clone())
        .await
        .expect(409);
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    office
        .save(|body| body["guests"] = json!(false))
        .await
        .expect(200);
    let refused = office
        .owner
        .post("/v1/sync/activate", confirm.clone())
        .await
        .expect(409);
    assert!(refused.detail().contains("test it first"));
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let begun = office
        .owner
        .post("/v1/sync/activate", confirm.clone())
        .await
        .expect(202);
    assert!(begun.header("location").starts_with("/v1/sync/runs/"));
    let run = office.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 4)
    );
    office
        .owner
        .post("/v1/sync/activate", confirm)
        .await
        .expect(409);
    assert!(office.state().await.due.is_some());
}

/// Proves S2-44, S2-45 and S2-46: deactivated, no run does anything; activated
/// again, everything is as it was.
#[tokio::test]
async fn a_deactivated_sync_rests_until_it_is_activated_again() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office
        .owner
        .post("/v1/sync/deactivate", json!({}))
        .await
        .expect(200);
    let state = office.state().await;
    assert_eq!(state.due, None);
    office.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    let run = office.run().await;
    assert_eq!(run.status, RunStatus::Skipped);
    office
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(409);
    office
        .owner
        .post("/v1/sync/deactivate", json!({}))
        .await
        .expect(409);
    office
        .owner
        .post("/v1/sync/activate", json!({"confirm": true}))
        .await
        .expect(202);
    let run = office.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersUpdated")),
        (RunStatus::Succeeded, 1)
    );
    let runs = office.owner.get("/v1/sync/runs").await.expect(200);
    assert_eq!(
        runs.body["items"].as_array().map(Vec::len),
        Some(3),
        "the history is kept"
    );
}

/// Proves S3-38…S3-40 and S3-42: disconnected, credentials are gone and people stay;
/// no run begins; connected again, what was chosen is still there.
#[tokio::test]
async fn a_disconnected_sync_keeps_people_and_settings() {
    let mut office = Office::small().await;
    office.active(|body| body["jobTitle"] = json!(false)).await;
    let unsaid = office.owner.post("/v1/sync/disconnect", json!({})).await;
    assert_eq!(unsaid.expect(422).pointers(), ["/confirm"]);
    let gone = office
        .owner
        .post("/v1/sync/disconnect", json!({"confirm": true}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&gone["status"], &gone["jobTitle"]),
        (&json!("disconnected"), &json!(false))
    );
    assert_eq!(
        (&gone["scimToken"]["isSet"], &gone["clientSecret"]["isSet"]),
        (&json!(false), &json!(false))
    );
    let refused = office
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(409);
    assert!(refused.detail().contains("not connected"));
    assert_eq!(office.run().await.status, RunStatus::Skipped);
    assert_eq!(office.active_users().len(), 4);
    office
        .owner
        .post("/v1/sync/disconnect", json!({"confirm": true}))
        .await
        .expect(409);
    let back = office
        .save(|body| body["jobTitle"] = json!(false))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&back["status"], &back["phase"]),
        (&json!("connected"), &json!("inactive"))
    );
    assert_eq!(
        back["message"],
        "Microsoft Entra ID is connected to Perform & Engage 365."
    );
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    office
        .owner
        .post("/v1/sync/activate", json!({"confirm": true}))
        .await
        .expect(202);
    let run = office.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 0)
    );
}

/// Proves S3-07…S3-13 (C-28): connected by consent, nothing syncs before somebody
/// refreshes; the first refresh tests, syncs everybody and completes the set-up.
#[tokio::test]
async fn a_consent_connects_and_a_refresh_completes_it() {
    let office = Office::small().await;
    let it_admin = office.app.admin("ItAdmin");
    office
        .save(|body| {
            body.as_object_mut()
                .expect("not an object")
                .remove("entraApp");
            body["teams"] = json!({});
        })
        .await
        .expect(200);
    office.consent(&["User.Read.All", "Group.Read.All", "GroupMember.Read.All"]);
    let connected = it_admin
        .post("/v1/sync/connect", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        connected["message"],
        "Microsoft Entra ID is connected to Perform & Engage 365."
    );
    assert_eq!(
        (&connected["status"], &connected["source"]),
        (&json!("connected"), &json!({"kind": "consent"}))
    );
    assert!(connected.get("nextRun").is_none() && office.active_users().is_empty());
    it_admin.post("/v1/sync/runs", json!({})).await.expect(202);
    let run = office.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 4),
        "{run:?}"
    );
    let after = it_admin.get("/v1/sync").await.expect(200).body;
    assert_eq!(
        (&after["phase"], &after["tested"]),
        (&json!("active"), &json!(true))
    );
    assert!(after["nextRun"].is_string());
}

/// Proves S3-11: what was not accepted keeps it from being connected, and is named.
#[tokio::test]
async fn a_partial_consent_connects_nothing() {
    let office = Office::small().await;
    office
        .save(|body| {
            _ = body
                .as_object_mut()
                .expect("not an object")
                .remove("entraApp")
        })
        .await
        .expect(200);
    office.consent(&["User.Read.All"]);
    let refused = office
        .owner
        .post("/v1/sync/connect", json!({}))
        .await
        .expect(409);
    assert!(
        refused.detail().contains("Group.Read.All was not accepted"),
        "{}",
        refused.detail()
    );
    let state = office.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(state["status"], "not_configured");
}

/// The token is for the address it was entered for, and for no other host.
#[tokio::test]
async fn another_address_needs_the_token_again() {
    let office = Office::small().await;
    office.save(|_| ()).await.expect(200);
    let moved = |body: &mut Value| {
        body["target"] = json!("http://127.0.0.1:9/scim");
        body.as_object_mut()
            .expect("not an object")
            .remove("scimToken");
    };
    let refused = office.save(moved).await.expect(422);
    assert_eq!(refused.pointers(), ["/scimToken"]);
}

/// Proves S3-41 and S2-47: what fails carries the request's id, and no secret.
#[tokio::test]
async fn problems_carry_the_requests_id() {
    let office = Office::small().await;
    let refused = office
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(404);
    assert!(!refused.header("x-request-id").is_empty());
    office.save(|_| ()).await.expect(200);
    office.app.fault(
        "/scim/",
        FaultKind::Status {
            code: 500,
            body: None,
            retry_after: None,
        },
        1,
        50,
    );
    let test = office
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

/// Runs and tests are no edits: whoever read before them saves what they chose.
#[tokio::test]
async fn only_edits_of_people_raise_the_version() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    let read = office.owner.get("/v1/sync").await.expect(200);
    assert_eq!(office.run().await.status, RunStatus::Succeeded);
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let saved = office
        .owner
        .put("/v1/sync", read.header("etag"), office.body());
    saved.await.expect(200);
    let stale = office
        .owner
        .put("/v1/sync", read.header("etag"), office.body());
    stale.await.expect(412);
}

/// Proves S2-09 and S2-10: a secret's end is a day or a moment that has not passed.
#[tokio::test]
async fn a_secret_ends_on_a_day() {
    let office = Office::small().await;
    let with = |ends: &'static str| {
        office.save(move |body| body["entraApp"]["secretExpires"] = json!(ends))
    };
    for (ends, what) in [
        ("next year", "must be a day"),
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

/// A test that failed shows until one passes or a run succeeds.
#[tokio::test]
async fn a_failed_test_shows_in_the_status() {
    let office = Office::small().await;
    office
        .save(|body| body["scimToken"] = json!("another-simulated-token"))
        .await
        .expect(200);
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let seen = office.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(seen["status"], "error", "{seen:#}");
    let message = seen["message"].as_str().expect("a message");
    assert!(message.contains("last test failed"), "{message}");
    office.save(|_| ()).await.expect(200);
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let seen = office.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(seen["status"], "connected", "{seen:#}");
}
