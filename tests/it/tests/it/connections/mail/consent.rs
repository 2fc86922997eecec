//! Accounts that can be connected: licences, unsuitable accounts, consent and approval.

use rollcall_simulators::ConsentChoice;
use rollcall_simulators::world::{ExchangePlan, Mailbox};
use serde_json::json;

use super::{sent_by, shown, start, tenant};
use crate::harness::{Admin, TestApp};

/// Proves S1-10 and S1-11: capabilities without a licence are listed; the others work.
#[tokio::test]
async fn licences_limit_what_works() {
    let no_teams = Mailbox {
        teams: false,
        ..Mailbox::default()
    };
    let kiosk = Mailbox {
        exchange: ExchangePlan::Kiosk,
        ..Mailbox::default()
    };
    let (app, cara) = start(
        tenant()
            .person("Solo", "Oslo")
            .mailbox("Solo", no_teams)
            .person("Kit", "Oslo")
            .mailbox("Kit", kiosk),
    )
    .await;
    let solo = app.connect_account(&cara, "Academy", "Solo").await;
    assert_eq!(
        (&solo.body["status"], &solo.body["capabilities"]),
        (&json!("degraded"), &json!(["mail", "rooms"]))
    );
    assert_eq!(solo.body["unavailable"][0]["capability"], "meetings");
    app.notify().await;
    assert_eq!(sent_by(&app, "Solo").len(), 1);
    let kit = app.connect_account(&cara, "Academy", "Kit").await;
    assert_eq!(kit.body["capabilities"], json!([]));
    assert!(
        kit.body["unavailable"][0]["reason"]
            .as_str()
            .expect("no reason")
            .contains("Plan 1")
    );
    app.notify().await;
    assert!(sent_by(&app, "Kit").is_empty());
}

/// Proves S1-09 and S1-12: a shared mailbox and an on-premises mailbox are refused with their own
/// results.
#[tokio::test]
async fn unsuitable_accounts_are_refused_by_name() {
    let shared = Mailbox {
        shared: true,
        exchange: ExchangePlan::None,
        ..Mailbox::default()
    };
    let own = Mailbox {
        on_premises: true,
        ..Mailbox::default()
    };
    let (app, cara) = start(
        tenant()
            .person("Team", "Oslo")
            .mailbox("Team", shared)
            .person("Old", "Oslo")
            .mailbox("Old", own),
    )
    .await;
    let path = app.mail_path("Academy");
    cara.put(&path, "\"0\"", json!({"enabled": true}))
        .await
        .expect(200);
    for (login, result) in [("Team", "shared_mailbox"), ("Old", "no_cloud_mailbox")] {
        let back = app
            .sign_account_in(&cara, "Academy", login, ConsentChoice::Accept)
            .await;
        assert_eq!(back.param("result"), result);
        assert!(back.sign_in().is_empty());
    }
    assert_eq!(shown(&app, "Academy").await["status"], "not_configured");
}

/// Returns true if a sign-in with this account asks for consent.
async fn asks_consent(app: &TestApp, cara: &Admin, catalog: &str, login: &str) -> bool {
    let path = app.mail_path(catalog);
    let begun = cara
        .post(&format!("{path}/connect"), json!({}))
        .await
        .expect(201);
    let url = begun.body["url"].as_str().expect("not a string").to_owned();
    // Declining has an effect only if a consent page was shown.
    let back = app.sign_in(&url, &TestApp::address(login), ConsentChoice::Decline);
    back.contains("error=access_denied")
}

/// Proves S1-13, S1-21, S1-22, S1-23, S1-24 and C-46, the four combinations of "new account" and
/// "consented for the organisation": consent is required the first time, not again for the same
/// account, and for a new account unless an administrator consented for all.
#[tokio::test]
async fn consent_is_asked_for_when_it_is_missing() {
    let (app, _) = start(tenant()).await;
    let cara = app.catalog_admin("Cara", &["Academy", "Campus"]).await;
    for catalog in ["Academy", "Campus"] {
        let path = app.mail_path(catalog);
        cara.put(&path, "\"0\"", json!({"enabled": true}))
            .await
            .expect(200);
    }
    assert!(
        asks_consent(&app, &cara, "Academy", "Events").await,
        "no consent for the tenant's first account"
    );
    app.sign_account_in(&cara, "Academy", "Events", ConsentChoice::Accept)
        .await;
    assert!(
        !asks_consent(&app, &cara, "Campus", "Events").await,
        "known account, no consent for all"
    );
    assert!(
        asks_consent(&app, &cara, "Campus", "Other").await,
        "new account, no consent for all"
    );
    let all = app
        .sign_account_in(
            &cara,
            "Academy",
            "Ada",
            ConsentChoice::AcceptForOrganisation,
        )
        .await;
    assert!(!all.param("result").is_empty());
    assert!(
        !asks_consent(&app, &cara, "Campus", "Other").await,
        "new account, consent for all"
    );
    assert!(
        !asks_consent(&app, &cara, "Campus", "Events").await,
        "known account, consent for all"
    );
}

/// Proves S1-14: if users cannot consent, the result names the required administrator's approval.
#[tokio::test]
async fn an_administrators_approval_may_be_needed() {
    let (app, cara) = start(tenant().only_admins_consent()).await;
    let path = app.mail_path("Academy");
    cara.put(&path, "\"0\"", json!({"enabled": true}))
        .await
        .expect(200);
    let back = app
        .sign_account_in(&cara, "Academy", "Events", ConsentChoice::Accept)
        .await;
    assert_eq!(back.param("result"), "admin_approval_required");
    assert_eq!(back.param("code"), "AADSTS90094");
}
