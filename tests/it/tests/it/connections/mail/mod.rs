//! A catalog's account (S1): enabled, signed in, saved, welcomed, lost, connected again.

mod consent;
mod grants;

use rollcall_domain::notices::NoticeKind;
use rollcall_simulators::world::Mailbox;
use rollcall_simulators::{ConsentChoice, SentMail};
use serde_json::{Value, json};

use crate::harness::{Admin, TestApp, TestTenant};

/// Cara administers the Academy; Events and Other have mailboxes.
fn tenant() -> TestTenant {
    TestTenant::small()
        .person("Cara", "Denver")
        .person("Events", "Denver")
        .person("Other", "Denver")
        .course_of("Campus", "Welding")
        .global_admin("Ada")
        .mailbox("Events", Mailbox::default())
        .mailbox("Other", Mailbox::default())
}

async fn start(tenant: TestTenant) -> (TestApp, Admin) {
    let app = TestApp::ready(tenant).await;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    (app, cara)
}

async fn shown(app: &TestApp, catalog: &str) -> Value {
    let view = app.admin("LmsAdmin").get(&app.mail_path(catalog)).await;
    view.expect(200).body
}

/// Returns the mail messages that were sent from a user's mailbox.
fn sent_by(app: &TestApp, name: &str) -> Vec<SentMail> {
    let from = app.object(name);
    let mut all = app.outside().mails;
    all.retain(|mail| mail.from == from);
    all
}

/// Proves S1-01, S1-04, S1-05 and S1-06: disabled by default, without a way to connect; the
/// method is shown once enabled.
#[tokio::test]
async fn a_catalog_begins_switched_off() {
    let (app, cara) = start(tenant()).await;
    let path = app.mail_path("Academy");
    let off = cara.get(&path).await.expect(200);
    assert_eq!(
        (&off.body["enabled"], &off.body["status"]),
        (&json!(false), &json!("not_configured"))
    );
    assert!(off.body["method"].is_null());
    let refused = cara
        .post(&format!("{path}/connect"), json!({}))
        .await
        .expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:switched-off");
    let on = cara
        .put(&path, off.header("etag"), json!({"enabled": true}))
        .await
        .expect(200);
    assert_eq!(on.body["method"]["name"], "modern_authentication");
    let rooms = format!("/v1/catalogs/{}/rooms", app.catalog("Academy"));
    let admin = app.admin("LmsAdmin");
    let rooms = admin.get(&rooms);
    assert_eq!(
        rooms.await.expect(409).body["type"],
        "urn:rollcall:account-required"
    );
}

/// Proves S1-03 and S1-36: only an administrator of the same catalog can connect and disconnect.
#[tokio::test]
async fn only_the_catalogs_admin_connects() {
    let (app, cara) = start(tenant()).await;
    let (own, foreign) = (app.mail_path("Academy"), app.mail_path("Campus"));
    for role in ["Owner", "SuperAdmin", "ItAdmin", "LmsAdmin", "CatalogAdmin"] {
        let admin = app.admin(role);
        admin
            .put(&own, "\"0\"", json!({"enabled": true}))
            .await
            .expect(403);
        admin
            .post(&format!("{own}/connect"), json!({}))
            .await
            .expect(403);
        admin
            .delete(&format!("{own}?confirm=true"))
            .await
            .expect(403);
        admin.get(&own).await.expect(200);
    }
    let refused = cara
        .put(&foreign, "\"0\"", json!({"enabled": true}))
        .await
        .expect(403);
    assert_eq!(refused.body["type"], "urn:rollcall:not-your-catalog");
}

/// Proves S1-09, S1-18, S1-30 and S1-31: after sign-in and save the address is shown and gets a
/// welcome mail.
#[tokio::test]
async fn an_account_is_connected_and_welcomed() {
    let (app, cara) = start(tenant()).await;
    let saved = app.connect_account(&cara, "Academy", "Events").await;
    assert_eq!(saved.body["status"], "connected");
    assert_eq!(saved.body["account"]["address"], TestApp::address("Events"));
    assert_eq!(
        saved.body["capabilities"],
        json!(["mail", "rooms", "meetings"])
    );
    assert!(
        sent_by(&app, "Events").is_empty(),
        "a mail was sent before the notifier ran"
    );
    let told = app.notify().await;
    assert!(matches!(told[0].about, NoticeKind::AccountConnected { .. }));
    let mails = sent_by(&app, "Events");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, [TestApp::address("Events")]);
    assert!(mails[0].html.contains("Academy"));
    let seen = app
        .admin("ItAdmin")
        .get("/v1/connections")
        .await
        .expect(200);
    let lines = seen.body["items"].as_array().expect("not a list").iter();
    let mails: Vec<_> = lines.filter(|line| line["kind"] == "mail").collect();
    let [line] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(line["account"], TestApp::address("Events"));
}

/// Proves S1-07 and S1-20: no password is accepted; the permissions match the purposes.
#[tokio::test]
async fn no_password_is_ever_taken() {
    let (app, cara) = start(tenant()).await;
    let path = app.mail_path("Academy");
    for field in ["password", "username", "secret"] {
        let body = json!({"enabled": true, field: "x"});
        let refused = cara.put(&path, "\"0\"", body).await.expect(422);
        assert_eq!(refused.pointers(), [format!("/{field}")]);
    }
    let on = cara
        .put(&path, "\"0\"", json!({"enabled": true}))
        .await
        .expect(200);
    let asked = on.body["method"]["permissions"]
        .as_array()
        .expect("not a list")
        .clone();
    for purpose in [
        "Mail.Send",
        "Place.Read.All",
        "Calendars.ReadWrite",
        "OnlineMeetings.ReadWrite",
        "User.Read",
    ] {
        assert!(asked.contains(&json!(purpose)), "{purpose}");
    }
}

/// Proves S1-30: a sign-in has no effect until it is saved, by its own administrator, once.
#[tokio::test]
async fn an_abandoned_sign_in_changes_nothing() {
    let (app, cara) = start(tenant()).await;
    app.connect_account(&cara, "Academy", "Events").await;
    let before = shown(&app, "Academy").await;
    let back = app
        .sign_account_in(&cara, "Academy", "Other", ConsentChoice::Accept)
        .await;
    assert_eq!(shown(&app, "Academy").await, before);

    let path = app.mail_path("Academy");
    let tag = format!("\"{}\"", before["version"]);
    let zoe = app.catalog_admin("Alan", &["Academy"]).await;
    let save = |name: String| json!({"enabled": true, "signIn": name});
    let stolen = zoe.put(&path, &tag, save(back.sign_in())).await.expect(409);
    assert_eq!(stolen.body["type"], "urn:rollcall:sign-in-expired");
    cara.put(&path, &tag, save("guessed".to_owned()))
        .await
        .expect(409);
    let saved = cara
        .put(&path, &tag, save(back.sign_in()))
        .await
        .expect(200);
    assert_eq!(saved.body["account"]["address"], TestApp::address("Other"));
    let again = cara
        .put(&path, saved.header("etag"), save(back.sign_in()))
        .await
        .expect(409);
    assert_eq!(again.body["type"], "urn:rollcall:sign-in-expired");
}

/// Proves S1-31 and S1-35: an account whose welcome mail is refused has failed, and its remedy
/// refers to Exchange.
#[tokio::test]
async fn a_refused_welcome_is_an_error() {
    let (app, cara) = start(tenant()).await;
    app.connect_account(&cara, "Academy", "Events").await;
    let body = json!({"error": {"code": "ErrorAccessDenied", "message": "Sending is blocked."}});
    app.fault(
        "/me/sendMail",
        rollcall_simulators::FaultKind::Status {
            code: 400,
            retry_after: None,
            body: Some(body),
        },
        1,
        9,
    );
    app.notify().await;
    let seen = shown(&app, "Academy").await;
    assert_eq!(
        (&seen["status"], &seen["fault"]["cause"]),
        (&json!("error"), &json!("mail_refused"))
    );
    assert!(
        seen["fault"]["text"]
            .as_str()
            .expect("not a string")
            .contains("Exchange"),
        "S1-35: no reference to the guidance"
    );
}

/// Proves S1-37, S1-38 and S1-39: disconnecting requires a confirmation and deletes the grant
/// immediately; other catalogs are unaffected.
#[tokio::test]
async fn disconnecting_forgets_the_account() {
    let (app, _) = start(tenant()).await;
    let cara = app.catalog_admin("Cara", &["Academy", "Campus"]).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.connect_account(&cara, "Campus", "Events").await;
    app.notify().await;
    let path = app.mail_path("Academy");
    let asked = cara.delete(&path).await.expect(409);
    assert_eq!(asked.body["type"], "urn:rollcall:confirm");
    assert_eq!(shown(&app, "Academy").await["status"], "connected");
    cara.delete(&format!("{path}?confirm=true"))
        .await
        .expect(204);
    let seen = shown(&app, "Academy").await;
    assert_eq!(
        (&seen["status"], &seen["account"]),
        (&json!("disconnected"), &Value::Null)
    );
    let grant = app
        .services
        .vault
        .grant(app.id, app.catalog("Academy"))
        .await
        .expect("store failed");
    assert!(grant.is_empty());
    app.put_mail("Academy", "held").await;
    assert_eq!(shown(&app, "Academy").await["waiting"], 1);
    assert_eq!(shown(&app, "Campus").await["status"], "connected");
    app.services
        .renew_grant(app.id, app.catalog("Campus"))
        .await
        .expect("the other catalog's grant does not work");
    cara.delete(&format!("{path}?confirm=true"))
        .await
        .expect(204);
}

/// Proves S1-40: another account replaces the first and gets a welcome mail.
#[tokio::test]
async fn another_account_takes_its_place() {
    let (app, cara) = start(tenant()).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.notify().await;
    let other = app.connect_account_again(&cara, "Academy", "Other").await;
    assert_eq!(other.body["account"]["address"], TestApp::address("Other"));
    app.notify().await;
    assert_eq!(
        (sent_by(&app, "Events").len(), sent_by(&app, "Other").len()),
        (1, 1)
    );
}

/// Proves S1-26, S1-27 and S1-28: Communication Services are available only where activated, with
/// a fixed sender.
#[tokio::test]
async fn communication_services_send_where_activated() {
    let (app, cara) = start(tenant()).await;
    let saved = app.connect_account(&cara, "Academy", "Events").await;
    assert!(
        saved.body["useAzureCommunicationServices"].is_null(),
        "the setting is shown"
    );
    app.notify().await;
    let path = app.mail_path("Academy");
    let tag = saved.header("etag").to_owned();
    let on = json!({"enabled": true, "useAzureCommunicationServices": true});
    let refused = cara.put(&path, &tag, on.clone()).await.expect(403);
    assert_eq!(refused.body["type"], "urn:rollcall:not-activated");
    assert!(refused.detail().contains("customersuccess@zensai.com"));
    app.activate_acs().await;
    let sender = json!({"enabled": true, "useAzureCommunicationServices": true, "sender": "me@contoso.example"});
    assert_eq!(
        cara.put(&path, &tag, sender).await.expect(422).pointers(),
        ["/sender"]
    );
    let now = cara.put(&path, &tag, on).await.expect(200);
    assert_eq!(now.body["useAzureCommunicationServices"], true);
    let subject = app.put_mail("Academy", "acs").await;
    app.notify().await;
    let mine: Vec<_> = app
        .simulators
        .acs_mails()
        .into_iter()
        .filter(|mail| mail.subject == subject)
        .collect();
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0].sender, "donotreply@mail.rollcall.example");
    assert_eq!(sent_by(&app, "Events").len(), 1, "not only the welcome");
}

/// Of two concurrent editors of one connection, the second gets 412.
#[tokio::test]
async fn the_slower_editor_is_reported() {
    let (app, cara) = start(tenant()).await;
    let path = app.mail_path("Academy");
    let on = cara
        .put(&path, "\"0\"", json!({"enabled": true}))
        .await
        .expect(200);
    cara.put(&path, "\"0\"", json!({"enabled": false}))
        .await
        .expect(412);
    cara.put(&path, "", json!({"enabled": false}))
        .await
        .expect(428);
    let bad = json!({"enabled": true, "organizationCalendar": "nowhere"});
    assert_eq!(
        cara.put(&path, on.header("etag"), bad)
            .await
            .expect(422)
            .pointers(),
        ["/organizationCalendar"]
    );
    let shared = json!({"enabled": true, "organizationCalendar": "calendar@contoso.example"});
    let shared = cara.put(&path, on.header("etag"), shared).await.expect(200);
    assert_eq!(
        shared.body["organizationCalendar"], "calendar@contoso.example",
        "S1-29"
    );
}
