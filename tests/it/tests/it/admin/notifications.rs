//! Notifications in the product, and who has read them.

use rollcall_domain::notices::{Channel, Notice, NoticeKind};
use serde_json::json;

use crate::harness::{CONTACT, TestApp, TestTenant};

async fn notify(app: &TestApp, people: u64, channel: Channel) -> Notice {
    let about = NoticeKind::Failure {
        job: "refresh".to_owned(),
        slot: format!("slot {people}"),
        errors: vec!["Learn365 did not answer".to_owned()],
        consequence: "The data of yesterday stays in use.".to_owned(),
    };
    let notice = Notice::new(app.id, "Contoso", vec![CONTACT.to_owned()], about).over(channel);
    let taken = rollcall_notifier::accept(&app.services, &notice).await;
    taken.expect("not accepted");
    notice
}

/// Proves X-07 and S3-24: notices by system mail, and those for the product alone, are listed
/// newest first; each administrator has a separate read state.
#[tokio::test]
async fn notifications_are_read_by_each_administrator() {
    let app = TestApp::of(TestTenant::small()).await;
    notify(&app, 1, Channel::System).await;
    let second = notify(&app, 2, Channel::InProduct).await;
    let (one, two) = (app.admin("LmsAdmin"), app.admin("ItAdmin"));
    let seen = one.get("/v1/notifications").await.expect(200);
    assert_eq!(seen.body["unread"], 2);
    let newest = &seen.body["items"][0];
    assert_eq!(
        (&newest["kind"], &newest["read"]),
        (&json!("failure"), &json!(false))
    );
    assert!(
        newest["text"]
            .as_str()
            .expect("not a string")
            .contains("Learn365 did not answer")
    );
    let path = format!("/v1/notifications/{}/read", second.id);
    for _ in 0..2 {
        one.post(&path, json!({})).await.expect(204);
    }
    let left = one.get("/v1/notifications?unread=true").await.expect(200);
    assert_eq!(
        (
            &left.body["unread"],
            left.body["items"].as_array().map(Vec::len)
        ),
        (&json!(1), Some(1))
    );
    assert_eq!(
        two.get("/v1/notifications").await.expect(200).body["unread"],
        2
    );
    let older = newest["at"].as_str().expect("no time");
    let before = one
        .get(&format!("/v1/notifications?before={older}"))
        .await
        .expect(200);
    assert_eq!(before.body["items"].as_array().map(Vec::len), Some(1));
    let nothing = format!("/v1/notifications/{}/read", uuid::Uuid::nil());
    one.post(&nothing, json!({})).await.expect(404);
}

/// Mail to learners is not shown to administrators.
#[tokio::test]
async fn mail_to_learners_is_not_shown_to_administrators() {
    let app = TestApp::of(TestTenant::small()).await;
    let catalog = app.catalog("Academy");
    notify(&app, 1, Channel::Catalog { catalog }).await;
    let seen = app
        .admin("Owner")
        .get("/v1/notifications")
        .await
        .expect(200);
    assert_eq!(seen.body["items"], json!([]));
}
