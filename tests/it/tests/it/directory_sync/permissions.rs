//! The directory sync's permissions, and the tenants that can use it.

use rollcall_simulators::UserTokenSpec;
use serde_json::json;
use uuid::Uuid;

use super::SyncFixture;
use crate::harness::AUDIENCE;

/// Proves S2-01, S3-01, S3-02, S3-03, C-49: owners, IT administrators, and super administrators
/// who are Global Administrators have access; all other roles are rejected.
#[tokio::test]
async fn owners_and_it_admins_and_global_super_admins_manage() {
    let fixture = SyncFixture::small().await;
    fixture.save(|_| ()).await.expect(200);
    let tenant = fixture.app.id.uuid();
    for (roles, read, manage) in [
        (&["Owner"][..], 200, 200),
        (&["ItAdmin"], 200, 200),
        (&["SuperAdmin", "GlobalAdmin"], 200, 200),
        (&["SuperAdmin"], 200, 403),
        (&["GlobalAdmin"], 403, 403),
        (&["LmsAdmin"], 403, 403),
        (&["CatalogAdmin"], 403, 403),
        (&[], 403, 403),
    ] {
        let somebody = fixture.app.admin_of(tenant, roles);
        let status = somebody.get("/v1/sync").await.status;
        assert_eq!(status, read, "{roles:?} reading");
        let status = somebody.post("/v1/sync/test", json!({})).await.status;
        assert_eq!(status, manage, "{roles:?} managing");
    }
}

/// A Global Administrator by Entra's claim is equal to one by role.
#[tokio::test]
async fn the_directory_role_may_come_from_entra_itself() {
    let fixture = SyncFixture::small().await;
    fixture.save(|_| ()).await.expect(200);
    let mut spec =
        UserTokenSpec::new(fixture.app.id.uuid(), Uuid::new_v4(), AUDIENCE).roles(&["SuperAdmin"]);
    spec.wids = vec![
        "62e90394-69f5-4237-9190-012177145e10"
            .parse()
            .expect("invalid GUID"),
    ];
    let admin = fixture.app.admin_with(&spec);
    admin.post("/v1/sync/test", json!({})).await.expect(200);
}

/// Another tenant's owner has no access.
#[tokio::test]
async fn tenants_are_apart() {
    let fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let stranger = fixture.app.admin_of(Uuid::new_v4(), &["Owner"]);
    stranger.get("/v1/sync").await.expect(404);
    stranger
        .post("/v1/sync/disconnect", json!({"confirm": true}))
        .await
        .expect(404);
    let runs = stranger.get("/v1/sync/runs").await.expect(200);
    assert_eq!(runs.body["items"], json!([]));
}

/// Proves S2-02: without the add-on the API is forbidden, and runs do nothing.
#[tokio::test]
async fn the_add_on_has_to_be_enabled() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let operators = Uuid::new_v4();
    fixture.app = Box::pin(fixture.app.operated_by(operators)).await;
    fixture.owner = fixture.app.admin("Owner");
    let operator = fixture.app.admin_of(operators, &["Operator"]);
    let path = format!("/v1/operator/tenants/{}/entitlement", fixture.app.id);
    let plan = json!({"plan": "success_plus"});
    operator.put(&path, "", plan).await.expect(200);
    let refused = fixture.owner.get("/v1/sync").await.expect(403);
    assert!(refused.detail().contains("paid add-on"));
    let run = fixture.run().await;
    assert!(run.note.is_some_and(|note| note.contains("plan")));
    let plan = json!({"plan": "success_plus", "directorySync": true});
    operator.put(&path, "", plan).await.expect(200);
    fixture.owner.get("/v1/sync").await.expect(200);
}

/// Proves S2-35 and X-04: an operator can set the times and remove them again.
#[tokio::test]
async fn an_operator_sets_the_times() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let operators = Uuid::new_v4();
    fixture.app = Box::pin(fixture.app.operated_by(operators)).await;
    let operator = fixture.app.admin_of(operators, &["Operator"]);
    let path = format!("/v1/operator/tenants/{}/sync-times", fixture.app.id);
    let times = json!({"times": ["00:00", "06:00", "12:00", "18:00"]});
    operator.put(&path, "", times).await.expect(200);
    let due = fixture.state().await.due.expect("not due");
    assert!(due - chrono::Utc::now() <= chrono::TimeDelta::hours(6));
    operator
        .put(&path, "", json!({"times": ["00:00", "00:05"]}))
        .await
        .expect(422);
    operator
        .put(&path, "", json!({"times": []}))
        .await
        .expect(422);
    operator.delete(&path).await.expect(204);
    assert_eq!(fixture.state().await.operator, None);
    let other = format!("/v1/operator/tenants/{}/sync-times", Uuid::new_v4());
    operator.delete(&other).await.expect(404);
    fixture.app.admin("Owner").delete(&path).await.expect(403);
}
