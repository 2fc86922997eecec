//! Failures while the directory is being connected, and losses afterwards.

use std::collections::BTreeSet;

use rollcall_clients::store::StoreError;
use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_simulators::{ConsentChoice, FaultKind};
use serde_json::{Value, json};

use super::{app, begin, connect, shown, to_consent};
use crate::harness::{CLIENT_ID, TestApp};

/// Proves S0-21 and S0-22: declined, wrong account and wrong tenant have different results, with
/// Microsoft's code, and leave no partial state.
#[tokio::test]
async fn each_failure_has_its_name() {
    let app = app().await;
    let declined = app.sign_in(
        &begin(&app, "/").await,
        &TestApp::address("Ada"),
        ConsentChoice::Decline,
    );
    let back = app.come_back(&declined).await;
    assert_eq!(
        (back.param("result"), back.param("code")),
        ("declined".to_owned(), "AADSTS65004".to_owned())
    );
    let seen = shown(&app).await;
    assert_eq!(
        (&seen["status"], &seen["fault"]["code"]),
        (&json!("error"), &json!("AADSTS65004"))
    );
    assert!(
        seen["fault"]["text"]
            .as_str()
            .expect("not a string")
            .contains("declined")
    );

    let consent = to_consent(&app, &begin(&app, "/").await).await;
    let no = app.sign_in(&consent, &TestApp::address("Ada"), ConsentChoice::Decline);
    assert!(
        no.contains("admin_consent=True"),
        "not in the redirect of a declined consent: {no}"
    );
    assert_eq!(app.come_back(&no).await.param("result"), "declined");

    let alan = app.sign_in(
        &begin(&app, "/").await,
        &TestApp::address("Alan"),
        ConsentChoice::Accept,
    );
    assert_eq!(app.come_back(&alan).await.param("result"), "wrong_account");
    assert_eq!(connect(&app).await.param("result"), "connected");
}

/// Proves S0-22: an error never affects a connection that works.
#[tokio::test]
async fn what_works_survives_later_failures() {
    let app = app().await;
    let early = to_consent(&app, &begin(&app, "/").await).await;
    connect(&app).await;
    let no = app.sign_in(&early, &TestApp::address("Ada"), ConsentChoice::Decline);
    assert_eq!(app.come_back(&no).await.param("result"), "declined");
    assert_eq!(shown(&app).await["status"], "connected");
    let again = to_consent(&app, &begin(&app, "/").await).await;
    assert_eq!(
        shown(&app).await["status"],
        "connected",
        "a new attempt affected the connection"
    );
    let no = app.sign_in(&again, &TestApp::address("Ada"), ConsentChoice::Decline);
    assert_eq!(app.come_back(&no).await.param("result"), "declined");
    assert_eq!(shown(&app).await["status"], "connected");
}

/// Proves S0-21 for a consent that is revoked later: the next use of the directory detects it, it
/// is shown with Microsoft's code, one notice is sent, and connecting again repairs it.
#[tokio::test]
async fn a_withdrawn_consent_is_noticed_and_reported_once() {
    let app = app().await;
    app.edit(|outside| outside.world.behaviour.token_lifetime_s = 1);
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let people = "/v1/directory/users?search=Al";
    admin.get(people).await.expect(200);
    app.edit(|outside| outside.consents.clear());
    let twice = futures::future::join(admin.get(people), admin.get(people));
    let (one, other) = twice.await;
    for refused in [one, other] {
        let refused = refused.expect(409);
        assert!(refused.body["connect"].is_string(), "{}", refused.body);
    }
    let seen = shown(&app).await;
    let code = seen["fault"]["code"].as_str().expect("no code");
    assert!(code.starts_with("AADSTS700"), "{seen}");
    let told = app.notify().await;
    let lost = |notice: &Notice| matches!(notice.about, NoticeKind::ConnectionLost { .. });
    let ids: BTreeSet<_> = told.iter().filter(|it| lost(it)).map(|it| it.id).collect();
    assert_eq!(ids.len(), 1, "{told:?}");
    admin.get(people).await.expect(409);
    assert!(app.notify().await.is_empty(), "a second notice was sent");
    assert_eq!(connect(&app).await.param("result"), "connected");
    admin.get(people).await.expect(200);
}

/// A consent can take effect late: the callback repeats the proof, and a tick continues it.
#[tokio::test]
async fn a_consent_that_spreads_slowly_is_proved_later() {
    let app = app().await;
    app.edit(|outside| outside.world.behaviour.consent_propagation_ms = 1_500);
    assert_eq!(
        connect(&app).await.param("result"),
        "connected",
        "the callback did not wait"
    );

    let slow = self::app().await;
    slow.edit(|outside| outside.world.behaviour.consent_propagation_ms = 3_600_000);
    let url = begin(&slow, "/").await;
    let consent = to_consent(&slow, &url).await;
    let back = slow.sign_in(&consent, &TestApp::address("Ada"), ConsentChoice::Accept);
    assert_eq!(slow.come_back(&back).await.param("result"), "pending");
    assert_eq!(shown(&slow).await["status"], "pending_consent");
    slow.tick("connections").await;
    assert_eq!(shown(&slow).await["status"], "pending_consent");
    slow.edit(|outside| outside.world.behaviour.consent_propagation_ms = 0);
    slow.tick("connections").await;
    assert_eq!(shown(&slow).await["status"], "connected");
}

/// An error of Microsoft's token endpoint is shown as unavailable; the state is consumed
/// nevertheless.
#[tokio::test]
async fn an_outage_of_microsoft_is_reported_as_outage() {
    let app = app().await;
    app.fault(
        "/oauth2/v2.0/token",
        FaultKind::Status {
            code: 503,
            retry_after: None,
            body: None,
        },
        1,
        10,
    );
    let url = begin(&app, "/").await;
    let back = app.sign_in(&url, &TestApp::address("Ada"), ConsentChoice::Accept);
    assert_eq!(app.come_back(&back).await.param("result"), "unavailable");
    app.clear_faults();
    app.callback(&back).await.expect(400);
    let taken = app.services.store.take_oauth_state::<Value>("none").await;
    assert!(matches!(taken, Ok(None) | Err(StoreError::Service(_))));
    assert_ne!(CLIENT_ID, uuid::Uuid::nil());
}
