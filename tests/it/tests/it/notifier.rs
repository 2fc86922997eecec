//! Notices are delivered once: in the product and by system mail.

use rollcall_clients::store::messages::Ledger;
use rollcall_domain::notices::{Channel, Notice, NoticeKind};
use serde_json::json;

use crate::harness::{TestApp, TestTenant};

fn notice(app: &TestApp, address: &str) -> Notice {
    let about = NoticeKind::Ready {
        people: 3,
        courses: 2,
    };
    Notice::new(app.id, "Contoso", vec![address.to_owned()], about)
}

fn address(app: &TestApp, name: &str) -> String {
    format!("{name}-{}@contoso.example", app.id)
}

/// Proves S4-104 up to the mailbox: one mail is sent, however often the queue delivers the message.
#[tokio::test]
async fn a_redelivered_notice_is_mailed_once() {
    let app = TestApp::of(TestTenant::small()).await;
    let to = address(&app, "once");
    let notice = notice(&app, &to);
    for _ in 0..3 {
        rollcall_notifier::deliver(&app.services, &notice)
            .await
            .expect("not delivered");
    }
    let mails = app.mails_to(&to).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "Rollcall is ready for use");
    let shown = app
        .services
        .store
        .notifications(app.id)
        .await
        .expect("notices not read");
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].notice, notice);
}

#[tokio::test]
async fn a_mail_whose_end_is_unknown_is_not_sent_again() {
    let app = TestApp::of(TestTenant::small()).await;
    let to = address(&app, "doubtful");
    let notice = notice(&app, &to);
    let store = &app.services.store;
    assert_eq!(
        store
            .claim_mail(app.id, notice.id)
            .await
            .expect("not claimed"),
        Ledger::Ours
    );
    rollcall_notifier::deliver(&app.services, &notice)
        .await
        .expect("not handled");
    assert!(app.mails_to(&to).await.is_empty());
    assert_eq!(
        store
            .claim_mail(app.id, notice.id)
            .await
            .expect("not claimed"),
        Ledger::Doubtful
    );
}

#[tokio::test]
async fn a_mail_that_was_refused_is_tried_again() {
    let app = TestApp::of(TestTenant::small()).await;
    let to = address(&app, "refused");
    let notice = notice(&app, &to);
    let mut broken = app.services.settings.clone();
    broken.system_sender = "nobody-verified-this@rollcall.example".to_owned();
    let refusing = app.with_settings(broken).await;
    let failure = rollcall_notifier::deliver(&refusing, &notice)
        .await
        .expect_err("was accepted");
    assert!(!failure.0.is_empty());
    assert!(app.mails_to(&to).await.is_empty());
    rollcall_notifier::deliver(&app.services, &notice)
        .await
        .expect("not delivered");
    assert_eq!(app.mails_to(&to).await.len(), 1);
}

/// Proves S3-24: a notice for the product only is never sent by mail.
#[tokio::test]
async fn an_in_product_notice_is_shown_and_not_mailed() {
    let app = TestApp::of(TestTenant::small()).await;
    let to = address(&app, "shown");
    let notice = notice(&app, &to).over(Channel::InProduct);
    let wakeup = rollcall_notifier::accept(&app.services, &notice).await;
    assert_eq!(wakeup.expect("notice not stored"), None);
    assert!(app.mails_to(&to).await.is_empty());
    let shown = app.services.store.notifications(app.id).await;
    assert_eq!(shown.expect("notices not read").len(), 1);
}

#[tokio::test]
async fn of_a_batch_only_the_broken_message_goes_back() {
    let app = TestApp::of(TestTenant::small()).await;
    let to = address(&app, "batch");
    let good = serde_json::to_string(&notice(&app, &to)).expect("not serialized");
    let event = json!({"Records": [{"messageId": "good", "body": good}, {"messageId": "bad", "body": "{}"}]});
    let answer = rollcall_notifier::handle(&app.services, event, a_minute())
        .await
        .expect("not handled");
    assert_eq!(
        answer["batchItemFailures"],
        json!([{"itemIdentifier": "bad"}])
    );
    assert_eq!(app.mails_to(&to).await.len(), 1);
    assert!(
        rollcall_notifier::handle(
            &app.services,
            json!({"tick": "refresh", "time": "2026-11-21T02:00:00Z"}),
            a_minute()
        )
        .await
        .is_err()
    );
}

fn a_minute() -> rollcall_runtime::Deadline {
    rollcall_runtime::Deadline::after(std::time::Duration::from_mins(1))
}
