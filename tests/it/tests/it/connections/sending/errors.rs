//! Tests of mail that is throttled, rejected or doubtful.

use super::*;

/// `Retry-After` is respected, and throttling does not count as a failed attempt of a mail.
#[tokio::test]
async fn a_throttled_mailbox_rests_as_long_as_microsoft_says() {
    let (app, _) = start().await;
    app.put_mail("Academy", "one").await;
    let throttled = FaultKind::Status {
        code: 429,
        retry_after: Some(300.0),
        body: None,
    };
    app.fault("/me/sendMail", throttled, 1, 1);
    let clock = Clock::new(&app);
    let first = clock.process_mailbox().await;
    let pause = first.again.expect("no retry is scheduled") - clock.now();
    assert!((290..=301).contains(&pause.num_seconds()), "{pause}");
    clock.turn(TimeDelta::seconds(100));
    assert_eq!(clock.process_mailbox().await.sent, 0, "sent too early");
    clock.turn(TimeDelta::seconds(201));
    assert_eq!(clock.process_mailbox().await.sent, 1);
    assert_eq!(mails(&app).len(), 1);
}

/// A lost response makes a mail doubtful: it is listed, and not sent a second time.
#[tokio::test]
async fn a_lost_answer_is_a_doubt_and_no_second_mail() {
    let (app, _) = start().await;
    app.fault("/me/sendMail", FaultKind::LoseAnswer, 1, 1);
    app.put_mail("Academy", "one").await;
    app.put_mail("Academy", "two").await;
    let clock = Clock::new(&app);
    clock.process_until_empty().await;
    assert_eq!(mails(&app).len(), 2, "not both mails arrived once");
    let path = format!(
        "/v1/catalogs/{}/messages?undelivered=true",
        app.catalog("Academy")
    );
    let told = app.admin("LmsAdmin").get(&path).await.expect(200);
    assert_eq!(told.body["items"][0]["status"], "doubtful");
    assert_eq!(told.body["items"].as_array().map(Vec::len), Some(1));
    clock.turn(TimeDelta::hours(2));
    clock.process_until_empty().await;
    assert_eq!(mails(&app).len(), 2);
}

/// A mail that Microsoft refuses permanently is listed and does not block the others.
#[tokio::test]
async fn a_refused_mail_is_reported_and_the_others_continue() {
    let (app, _) = start().await;
    let body =
        json!({"error": {"code": "ErrorInvalidRecipients", "message": "No such recipient."}});
    app.fault(
        "/me/sendMail",
        FaultKind::Status {
            code: 400,
            retry_after: None,
            body: Some(body),
        },
        1,
        1,
    );
    app.put_mail("Academy", "one").await;
    app.put_mail("Academy", "two").await;
    let clock = Clock::new(&app);
    clock.process_until_empty().await;
    assert_eq!(mails(&app).len(), 1);
    let store = &app.services.store;
    let kept = store
        .undelivered_page(app.id, app.catalog("Academy"), None, 9)
        .await
        .expect("store failed");
    assert_eq!(kept.items[0].mail.ended, Some(MessageStatus::Failed));
    assert!(
        kept.items[0]
            .mail
            .problem
            .as_deref()
            .is_some_and(|it| it.contains("No such recipient"))
    );
}

/// A token that Graph rejects is renewed, and the mail is sent; repeated rejections lose the
/// account, whose mail waits.
#[tokio::test]
async fn a_refused_token_is_renewed_before_the_account_is_given_up() {
    let (app, _) = start().await;
    let refused = || FaultKind::Status {
        code: 401,
        retry_after: None,
        body: None,
    };
    app.fault("/me/sendMail", refused(), 1, 1);
    app.put_mail("Academy", "one").await;
    let clock = Clock::new(&app);
    let before = app.outside().refreshes;
    clock.process_until_empty().await;
    assert_eq!(
        (mails(&app).len(), app.outside().refreshes),
        (1, before + 1)
    );
    app.fault("/me/sendMail", refused(), 1, 9);
    app.put_mail("Academy", "two").await;
    clock.process_until_empty().await;
    let view = app
        .admin("LmsAdmin")
        .get(&app.mail_path("Academy"))
        .await
        .expect(200);
    assert_eq!(
        (&view.body["status"], &view.body["waiting"]),
        (&json!("error"), &json!(1))
    );
}
