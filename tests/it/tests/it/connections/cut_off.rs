//! Functions that crash between writes to two independent stores.

use chrono::{TimeDelta, Utc};
use rollcall_domain::connection::MailConnection;
use rollcall_simulators::ConsentChoice;
use rollcall_simulators::world::Mailbox;
use serde_json::json;

use crate::harness::{Admin, TestApp, TestTenant};

async fn start() -> (TestApp, Admin) {
    let tenant = TestTenant::small()
        .person("Cara", "Denver")
        .person("Events", "Denver")
        .person("Other", "Denver")
        .mailbox("Events", Mailbox::default())
        .mailbox("Other", Mailbox::default());
    let app = TestApp::ready(tenant).await;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.notify().await;
    (app, cara)
}

/// Changes the Academy's record as a function does that crashes right afterwards.
async fn note(app: &TestApp, change: impl Fn(&mut MailConnection)) {
    let catalog = app.catalog("Academy");
    let change = |it: &mut MailConnection| {
        change(it);
        true
    };
    let services = &app.services;
    let done = services.change_mail_connection(app.id, catalog, &[], change);
    done.await.expect("not stored").expect("no connection");
}

async fn stored(app: &TestApp) -> MailConnection {
    let catalog = app.catalog("Academy");
    let found = app.services.store.mail_connection(app.id, catalog).await;
    found
        .expect("connection not read")
        .expect("no connection")
        .value
}

/// Proves S1-30: a save that crashes after storing the new grant in the vault changes nothing;
/// the old account still works, and repeating the save completes it.
#[tokio::test]
async fn a_save_keeps_account_and_grant_together() {
    let (app, cara) = start().await;
    let (catalog, path) = (app.catalog("Academy"), app.mail_path("Academy"));
    let vault = &app.services.vault;
    let tag = cara.get(&path).await.expect(200);
    let tag = tag.header("etag");
    let back = app
        .sign_account_in(&cara, "Academy", "Other", ConsentChoice::Accept)
        .await;
    let mut kept = vault.grant(app.id, catalog).await.expect("grant not read");
    let new = kept.promote().expect("no draft is stored");
    vault
        .put_grant(app.id, catalog, &kept)
        .await
        .expect("grant not stored");

    let renewed = app.services.renew_grant(app.id, catalog).await;
    renewed.expect("the old account does not work");
    assert_ne!(stored(&app).await.grant.as_deref(), Some(new.as_str()));
    let body = json!({"enabled": true, "signIn": back.sign_in()});
    let saved = cara.put(&path, tag, body).await.expect(200);
    assert_eq!(saved.body["account"]["address"], TestApp::address("Other"));
    let grant = vault.grant(app.id, catalog).await.expect("grant not read");
    assert_eq!(stored(&app).await.grant.as_deref(), Some(new.as_str()));
    assert!(grant.refresh_token(&new).is_some() && grant.draft.is_none());
}

/// Proves S1-39: a tick completes a disconnection that crashed before the grant was deleted.
#[tokio::test]
async fn a_disconnection_is_finished_by_a_tick() {
    let (app, _) = start().await;
    let catalog = app.catalog("Academy");
    note(&app, |it| {
        it.disconnect(Utc::now());
    })
    .await;
    let vault = &app.services.vault;
    let kept = vault.grant(app.id, catalog).await.expect("grant not read");
    assert!(!kept.is_empty());
    app.tick("connections").await;
    let kept = vault.grant(app.id, catalog).await.expect("grant not read");
    assert!(kept.is_empty() && !stored(&app).await.forget);
}

/// Proves S1-30: a draft that is not saved is deleted after one hour; the account is unaffected.
#[tokio::test]
async fn a_sign_in_that_no_one_saves_is_forgotten() {
    let (app, cara) = start().await;
    let catalog = app.catalog("Academy");
    let back = app
        .sign_account_in(&cara, "Academy", "Other", ConsentChoice::Accept)
        .await;
    assert_eq!(back.param("result"), "signed_in");
    app.tick("connections").await;
    let vault = &app.services.vault;
    let kept = vault.grant(app.id, catalog).await.expect("grant not read");
    assert!(kept.draft.is_some(), "the draft was deleted too early");
    let over = Utc::now() - TimeDelta::seconds(1);
    note(&app, |it| it.draft_until = Some(over)).await;
    app.tick("connections").await;
    let kept = vault.grant(app.id, catalog).await.expect("grant not read");
    assert!(kept.draft.is_none() && !kept.is_empty());
    let renewed = app.services.renew_grant(app.id, catalog).await;
    renewed.expect("the account does not work");
}

/// Proves S1-32: if the message that should wake the notifier is lost, a tick finds the mail; a
/// welcome mail that was not queued is queued once.
#[tokio::test]
async fn lost_messages_are_made_good_by_a_tick() {
    let (app, _) = start().await;
    let before = app.outside().mails.len();
    app.put_mail("Academy", "one").await;
    app.errands().await;
    app.tick("connections").await;
    app.notify().await;
    assert_eq!(app.outside().mails.len(), before + 1);

    note(&app, |it| it.welcome_pending = true).await;
    app.tick("connections").await;
    app.notify().await;
    assert!(!stored(&app).await.welcome_pending);
    assert_eq!(
        app.outside().mails.len(),
        before + 1,
        "a second welcome was sent"
    );
}

/// Writes of the service do not make an administrator's edit stale; another administrator's edit
/// does.
#[tokio::test]
async fn only_people_overtake_people() {
    let (app, cara) = start().await;
    let path = app.mail_path("Academy");
    let seen = cara.get(&path).await.expect(200);
    note(&app, |it| it.used_at = Some(Utc::now())).await;
    let body = json!({"enabled": true, "organizationCalendar": "calendar@contoso.example"});
    let saved = cara.put(&path, seen.header("etag"), body.clone()).await;
    let saved = saved.expect(200);
    cara.put(&path, seen.header("etag"), body.clone())
        .await
        .expect(412);
    cara.put(&path, saved.header("etag"), body)
        .await
        .expect(200);
}
