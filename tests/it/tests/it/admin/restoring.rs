//! Deletion, restoration and earlier versions.

use serde_json::json;

use super::{column, create, draft, path, with};
use crate::harness::{TestApp, TestTenant};

/// Proves S4-041, S4-139 and C-22: a deleted profile is restored through the API with its
/// courses, filter and members.
#[tokio::test]
async fn a_deleted_profile_is_restored_with_everything() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let courses = json!({"courses": [app.course("Security 101")]});
    let (id, _) = create(&admin, with(draft("Denver", "Denver"), courses)).await;
    app.maintained().await;
    admin.delete(&path(id)).await.expect(204);
    app.maintained().await;
    assert!(app.enrolled_of(id).is_empty());
    let gone = admin.get(&path(id)).await.expect(200);
    assert!(gone.body["deletedAt"].is_string());
    let versions = admin
        .get(&format!("{}/versions", path(id)))
        .await
        .expect(200)
        .body;
    let versions = versions["items"].as_array().expect("no versions").iter();
    let deletion = versions
        .clone()
        .find(|version| version["changed"] == json!(["deleted"]));
    assert_eq!(
        deletion.expect("no version")["modifiedAt"],
        gone.body["deletedAt"]
    );
    assert!(admin.get("/v1/profiles").await.expect(200).body["items"] == json!([]));
    let deleted = admin
        .get("/v1/profiles?deleted=true")
        .await
        .expect(200)
        .body;
    assert_eq!(column(&deleted["items"], "title"), ["Denver"]);
    let edit = admin
        .put(&path(id), gone.header("etag"), draft("Denver", "Oslo"))
        .await;
    assert_eq!(edit.expect(409).body["type"], "urn:rollcall:deleted");

    let restore = format!("{}/restore", path(id));
    let back = admin
        .post_if(&restore, gone.header("etag"), json!({}))
        .await
        .expect(200);
    assert_eq!(back.body["enroll"], true);
    assert_eq!(back.body["autoPopulate"], true);
    app.maintained().await;
    assert_eq!(app.members_of(id).expect("no such group"), ["Ada", "Alan"]);
    assert_eq!(app.enrolled_of(id), ["Security 101"]);
    let again = admin.post_if(&restore, "\"1\"", json!({})).await;
    assert_eq!(again.status, 412);
}

/// Restoring is rejected while another profile has the title.
#[tokio::test]
async fn a_title_taken_meanwhile_stops_a_restore() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let (id, _) = create(&admin, draft("Denver", "Denver")).await;
    admin.delete(&path(id)).await.expect(204);
    create(&admin, draft("denver", "Denver")).await;
    let restore = format!("{}/restore", path(id));
    let answer = admin
        .post_if(&restore, "\"2\"", json!({}))
        .await
        .expect(422);
    assert_eq!(answer.pointers(), ["/title"]);
}

/// Every version is stored, and any of them can be restored.
#[tokio::test]
async fn an_earlier_version_comes_back() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let (id, tag) = create(&admin, draft("Denver", "Denver")).await;
    let second = draft("Denver", "Oslo");
    let tag = admin
        .put(&path(id), &tag, second)
        .await
        .expect(200)
        .header("etag")
        .to_owned();
    let versions = admin
        .get(&format!("{}/versions?limit=1", path(id)))
        .await
        .expect(200)
        .body;
    assert_eq!(versions["items"][0]["version"], 2);
    let next = versions["nextCursor"].as_str().expect("no cursor");
    let more = admin
        .get(&format!("{}/versions?cursor={next}", path(id)))
        .await
        .expect(200)
        .body;
    assert_eq!(more["items"][0]["version"], 1);
    let all = admin
        .get(&format!("{}/versions", path(id)))
        .await
        .expect(200)
        .body;
    assert_eq!(all["items"][0]["changed"], json!(["description", "filter"]));

    let first = admin
        .get(&format!("{}/versions/1", path(id)))
        .await
        .expect(200)
        .body;
    assert_eq!(first["description"], "Everybody in Denver");
    let restore = format!("{}/restore", path(id));
    let back = admin
        .post_if(&restore, &tag, json!({"version": 1}))
        .await
        .expect(200);
    assert_eq!(back.header("etag"), "\"3\"");
    assert_eq!(back.body["filter"], first["filter"]);
    admin
        .get(&format!("{}/versions/9", path(id)))
        .await
        .expect(404);
    admin
        .post_if(&restore, "\"3\"", json!({"version": 9}))
        .await
        .expect(404);
    let not_deleted = admin
        .post_if(&restore, "\"3\"", json!({}))
        .await
        .expect(409);
    assert_eq!(not_deleted.body["type"], "urn:rollcall:not-deleted");
}

/// Proves S4-088f at restore: an earlier version that would close a cycle, or refers to something
/// deleted, is rejected.
#[tokio::test]
async fn an_earlier_version_that_leads_in_a_circle_stays_away() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let naming = |id| json!({"overrides": {"include": [{"profile": id}]}});
    let (second, _) = create(&admin, draft("Second", "Oslo")).await;
    let (first, tag) = create(&admin, with(draft("First", "Denver"), naming(second))).await;
    let tag = admin
        .put(&path(first), &tag, draft("First", "Denver"))
        .await
        .expect(200);
    let tag = tag.header("etag").to_owned();
    let circle = with(draft("Second", "Oslo"), naming(first));
    admin.put(&path(second), "\"1\"", circle).await.expect(200);
    let restore = format!("{}/restore", path(first));
    let answer = admin
        .post_if(&restore, &tag, json!({"version": 1}))
        .await
        .expect(422);
    assert_eq!(answer.pointers(), ["/overrides/include/0"]);
    assert_eq!(
        admin.get(&path(first)).await.expect(200).header("etag"),
        tag
    );
}
