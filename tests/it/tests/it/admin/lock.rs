//! The maintenance lock, as seen through the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_domain::base::ids::ProfileId;
use rollcall_profile_api::access::ROUTES;
use serde_json::{Value, json};

use super::{create, draft, path};
use crate::harness::{Admin, TestApp, TestTenant};

async fn lock(app: &TestApp) -> Lease {
    let length = Duration::from_secs(30);
    let lease = Lease::acquire(&app.services.store, app.id, MAINTENANCE_LEASE, length).await;
    lease.expect("lease request failed").expect("lease taken")
}

/// Sends a request that would succeed without the lock.
async fn attempt(
    admin: &Admin,
    method: &str,
    route: &str,
    id: ProfileId,
) -> crate::harness::Answer {
    let path = route.replace("{id}", &id.to_string());
    let body: Option<Value> = match (method, route) {
        ("GET", _) => None,
        (_, "/v1/settings") => {
            Some(json!({"contact": "new@contoso.example", "groupPrefix": "LMS - "}))
        }
        (_, "/v1/profiles") => Some(draft("New", "Oslo")),
        (_, "/v1/profiles/preview") => Some(json!({"profile": draft("New", "Oslo")})),
        (_, "/v1/profiles/{id}") => Some(draft("Changed", "Oslo")),
        (_, "/v1/profiles/{id}/courses") => Some(json!({"courses": []})),
        (_, "/v1/profiles/{id}/restore") => Some(json!({"version": 1})),
        other => panic!("{other:?} has no request here"),
    };
    admin
        .send(method, &path, body, &[("if-match", "\"1\"")])
        .await
}

/// Proves S4-022, S4-042, S4-110, S4-111, S4-112, S4-113 and S4-114: every route that the lock
/// forbids returns 423 with `Retry-After`, changes nothing, and works again afterwards.
#[tokio::test]
async fn while_locked_four_kinds_of_action_answer_423() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let (id, _) = create(&admin, draft("Denver", "Denver")).await;
    app.maintained().await;
    let lease = lock(&app).await;
    for route in ROUTES.iter().filter(|route| route.locked) {
        // Holds are tested with a real hold in `holds`.
        if route.path.contains("/hold/") {
            continue;
        }
        let answer = attempt(&admin, route.method, route.path, id).await;
        assert_eq!(
            answer.status, 423,
            "{} {}: {}",
            route.method, route.path, answer.body
        );
        assert_eq!(answer.header("retry-after"), "30");
        assert_eq!(answer.body["type"], "urn:rollcall:locked");
    }
    // Reading and deleting are allowed (S4-114).
    for free in [
        "/v1/tenant",
        "/v1/settings",
        "/v1/profiles",
        "/v1/runs",
        "/v1/audit",
        "/v1/schema",
    ] {
        admin.get(free).await.expect(200);
    }
    let unchanged = admin.get(&path(id)).await.expect(200);
    assert_eq!(unchanged.header("etag"), "\"1\"");
    lease.release().await.expect("not released");
    admin
        .get(&format!("{}/members", path(id)))
        .await
        .expect(200);
    let lease = lock(&app).await;
    admin.delete(&path(id)).await.expect(204);
    lease.release().await.expect("not released");
}

/// Lock race: of 200 saves within two seconds, half of them new profiles and half changes, none
/// is accepted after the lock is acquired. The table contains exactly those accepted before.
#[tokio::test]
async fn no_save_is_accepted_after_the_lock_is_taken() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let saves = two_hundred(&admin).await;
    let ended = Arc::new(AtomicUsize::new(0));
    let saves = (0u64..).zip(saves).map(|(n, (path, tag, body))| {
        let (admin, ended) = (admin.clone(), Arc::clone(&ended));
        tokio::spawn(async move {
            // Dozens of requests are in progress at any time when the lock is acquired.
            tokio::time::sleep(Duration::from_millis(8 * n)).await;
            let answer = match tag {
                Some(tag) => admin.put(&path, &tag, body).await,
                None => admin.post("/v1/profiles", body).await,
            };
            ended.fetch_add(1, Ordering::Relaxed);
            let version = answer.body["version"].as_u64();
            (
                answer.status,
                answer.body["id"].as_str().map(str::to_owned),
                version,
            )
        })
    });
    let saves: Vec<_> = saves.collect();
    let lease = lock_after(&app, &ended, 20).await;
    let at_lock = versions(&app).await;
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for save in saves {
        match save.await.expect("no panic") {
            (200 | 201, Some(id), Some(version)) => accepted.push((id, version)),
            (423, ..) => refused += 1,
            (503, ..) => {}
            other => panic!("{other:?}"),
        }
    }
    let at_end = versions(&app).await;
    assert_eq!(
        at_end, at_lock,
        "a save was accepted after the lock was acquired"
    );
    for save in &accepted {
        assert!(
            at_end.contains(save),
            "{save:?} was accepted but is not stored"
        );
    }
    let news = at_end.iter().filter(|(_, version)| *version == 2).count();
    assert_eq!(accepted.len(), at_end.len() - 100 + news);
    assert!(
        refused > 0,
        "no save was rejected; the lock was acquired too late"
    );
    lease.release().await.expect("not released");
}

/// Returns a hundred changes of existing profiles and a hundred new ones: path, tag and body of
/// each save.
async fn two_hundred(admin: &Admin) -> Vec<(String, Option<String>, Value)> {
    let mut saves = Vec::new();
    for n in 0..100 {
        let (id, tag) = create(admin, draft(&format!("Old {n}"), "Denver")).await;
        saves.push((
            path(id),
            Some(tag),
            draft(&format!("Changed {n}"), "Denver"),
        ));
    }
    let fresh = (0..100).map(|n| {
        let body = draft(&format!("New {n}"), "Denver");
        ("/v1/profiles".to_owned(), None, body)
    });
    saves.extend(fresh);
    saves
}

/// Acquires the lock as soon as `count` saves have ended.
async fn lock_after(app: &TestApp, ended: &AtomicUsize, count: usize) -> Lease {
    while ended.load(Ordering::Relaxed) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    lock(app).await
}

/// Returns every profile's key and version.
async fn versions(app: &TestApp) -> Vec<(String, u64)> {
    let stored = app
        .services
        .store
        .profiles(app.id)
        .await
        .expect("profiles not read");
    let all = stored
        .into_iter()
        .map(|stored| (stored.key, stored.version));
    all.collect()
}
