//! The grant of a connected account: outdated, lost, refreshed concurrently, regularly.

use rollcall_domain::notices::NoticeKind;
use rollcall_simulators::OauthRefusal;
use serde_json::json;

use super::{sent_by, shown, start, tenant};
use crate::harness::{Admin, TestApp};

fn refuse(app: &TestApp, error: &str, number: u32) {
    app.edit(|outside| {
        outside.world.behaviour.refresh_refusal = Some(OauthRefusal {
            status: 400,
            error: error.to_owned(),
            suberror: None,
            number,
        });
    });
}

/// Proves S1-25 and C-47: an outdated consent has its own state; connecting again asks for
/// consent once.
#[tokio::test]
async fn an_outdated_consent_is_renewed() {
    let (app, cara) = start(tenant()).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.notify().await;
    refuse(&app, "invalid_grant", 65_001);
    let lost = app
        .services
        .renew_grant(app.id, app.catalog("Academy"))
        .await;
    assert!(lost.is_err());
    assert_eq!(shown(&app, "Academy").await["status"], "consent_outdated");
    app.edit(|outside| outside.world.behaviour.refresh_refusal = None);
    let path = app.mail_path("Academy");
    let begun = cara
        .post(&format!("{path}/connect"), json!({}))
        .await
        .expect(201);
    assert!(
        begun.body["url"]
            .as_str()
            .expect("not a string")
            .contains("prompt=consent")
    );
    let again = app.connect_account_again(&cara, "Academy", "Events").await;
    assert_eq!(again.body["status"], "connected");
    let begun = cara
        .post(&format!("{path}/connect"), json!({}))
        .await
        .expect(201);
    assert!(
        !begun.body["url"]
            .as_str()
            .expect("not a string")
            .contains("prompt=consent")
    );
}

/// Proves S1-02, S1-32, S1-33, S1-34, X-08 and C-27: a lost account affects its catalog only; the
/// administrators get one notice through another channel; waiting mail remains visible and is
/// sent after reconnecting.
#[tokio::test]
async fn a_lost_account_is_reported_once_and_holds_its_mail() {
    let (app, _) = start(tenant()).await;
    let cara = app.catalog_admin("Cara", &["Academy", "Campus"]).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.connect_account(&cara, "Campus", "Other").await;
    app.notify().await;
    app.edit(|outside| {
        let gone = outside
            .world
            .people
            .iter_mut()
            .find(|it| it.display_name == "Events");
        gone.expect("no such user").account_enabled = false;
    });
    let (academy, campus) = (app.catalog("Academy"), app.catalog("Campus"));
    for _ in 0..3 {
        let lost = app.services.renew_grant(app.id, academy).await;
        assert!(lost.is_err());
    }
    app.services
        .renew_grant(app.id, campus)
        .await
        .expect("the other account does not work");
    let seen = shown(&app, "Academy").await;
    assert_eq!(
        (&seen["status"], &seen["fault"]["code"]),
        (&json!("error"), &json!("AADSTS50057"))
    );
    assert_eq!(shown(&app, "Campus").await["status"], "connected");
    let told = app.notify().await;
    assert_eq!(told.len(), 1, "{told:?}");
    let to = &told[0].recipients;
    assert!(
        to.contains(&crate::harness::CONTACT.to_owned()) && to.contains(&TestApp::address("Cara")),
        "{to:?}"
    );
    assert!(
        matches!(&told[0].about, NoticeKind::ConnectionLost { code, .. } if code.as_deref() == Some("AADSTS50057"))
    );
    let mails = app.mails_to(&TestApp::address("Cara")).await;
    assert!(
        mails.iter().any(|mail| mail.subject.contains("Academy")),
        "{mails:?}"
    );

    app.tick("connections").await;
    assert!(app.notify().await.is_empty(), "a second notice was sent");
    held_mail_goes_out(&app, &cara).await;
}

/// Mail that waits while an account is lost is listed, and sent once it works again.
async fn held_mail_goes_out(app: &TestApp, cara: &Admin) {
    app.put_mail("Academy", "waits").await;
    let path = format!("/v1/catalogs/{}/messages", app.catalog("Academy"));
    let waits = app.admin("LmsAdmin").get(&path).await.expect(200);
    assert_eq!(
        (&waits.body["waiting"], &waits.body["items"][0]["status"]),
        (&json!(1), &json!("held"))
    );
    app.edit(|outside| {
        let back = outside
            .world
            .people
            .iter_mut()
            .find(|it| it.display_name == "Events");
        back.expect("no such user").account_enabled = true;
    });
    app.connect_account_again(cara, "Academy", "Events").await;
    app.notify().await;
    let after = app.admin("LmsAdmin").get(&path).await.expect(200);
    assert_eq!(after.body["waiting"], 0);
    assert_eq!(
        sent_by(app, "Events").len(),
        3,
        "not two welcome mails and the waiting one"
    );
}

/// Proves S1-19: the newest refresh token is stored; of two functions that refresh concurrently
/// one waits for the other, and the account is not lost.
#[tokio::test]
async fn racing_refreshes_keep_the_newest_token() {
    let (app, cara) = start(tenant()).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.notify().await;
    app.edit(|outside| outside.world.behaviour.strict_rotation = true);
    let academy = app.catalog("Academy");
    let settings = app.services.settings.clone();
    let other = app.with_settings(settings).await;
    for _ in 0..4 {
        let (one, two) = tokio::join!(
            app.services.renew_grant(app.id, academy),
            other.renew_grant(app.id, academy)
        );
        one.expect("not renewed");
        two.expect("not renewed");
    }
    assert_eq!(shown(&app, "Academy").await["status"], "connected");
    assert_eq!(
        app.outside().refresh_reuses,
        0,
        "an outdated token was used"
    );
}

/// Proves S1-19 and X-09: an unused grant is refreshed weekly, so that it does not expire.
#[tokio::test]
async fn a_quiet_grant_is_kept_alive() {
    let (app, cara) = start(tenant()).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.notify().await;
    let before = app.outside().refreshes;
    app.tick("connections").await;
    assert_eq!(
        app.outside().refreshes,
        before,
        "a recently used grant was refreshed"
    );
    let old = chrono::Utc::now() - chrono::TimeDelta::days(7);
    let aged = app
        .services
        .change_mail_connection(app.id, app.catalog("Academy"), &[], |it| {
            it.used_at = Some(old);
            true
        });
    aged.await.expect("not stored");
    app.tick("connections").await;
    assert_eq!(app.outside().refreshes, before + 1);
    app.tick("connections").await;
    assert_eq!(app.outside().refreshes, before + 1);
}
