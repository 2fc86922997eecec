//! Permissions and tenant isolation, generated from the route table.

use std::collections::BTreeMap;

use rollcall_domain::base::ids::ProfileId;
use rollcall_profile_api::access::{Permission, ROUTES, Route};
use rollcall_runtime::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{create, draft, with};
use crate::harness::{Admin, Answer, TestApp, TestTenant};

/// Returns the route's path with its placeholders filled in.
fn filled(route: &Route, profile: ProfileId, app: &TestApp, run: &str) -> String {
    let path = route.path.replace("{version}", "1");
    let path = path.replace("{tenant}", &app.id.to_string());
    let path = path.replace("{session}", &Uuid::from_u128(1).to_string());
    let path = path.replace("{user}", &app.object("Ada").to_string());
    let catalog = format!("/catalogs/{}", app.catalog("Academy"));
    let path = path.replace("/catalogs/{id}", &catalog);
    let path = if path.contains("/runs/") {
        path.replace("{id}", run)
    } else {
        path.replace("{id}", &profile.to_string())
    };
    match route.path {
        "/v1/profiles/{id}/explain" => format!("{path}?user=6f9619ff-8b86-4011-b42d-00c04fc964ff"),
        _ => path,
    }
}

/// Returns a body that would change something if the caller were admitted.
fn body(route: &Route) -> Option<Value> {
    match (route.method, route.path) {
        ("GET" | "DELETE", _) => None,
        (_, "/v1/settings") => Some(json!({"contact": "attacker@evil.example"})),
        (_, "/v1/profiles") => Some(draft("Attack", "Denver")),
        (_, "/v1/profiles/preview") => Some(json!({"profile": draft("Attack", "Denver")})),
        (_, "/v1/profiles/{id}") => Some(draft("Attacked", "Denver")),
        (_, "/v1/profiles/{id}/restore") => Some(json!({"version": 1})),
        (_, "/v1/profiles/{id}/courses") => Some(json!({"courses": []})),
        (_, "/v1/profiles/{id}/hold/approve" | "/v1/profiles/{id}/hold/discard") => {
            Some(json!({"hash": "0".repeat(64), "why": "attack"}))
        }
        (_, "/v1/runs") => Some(json!({"job": "refresh"})),
        (_, "/v1/operator/tenants/{tenant}/entitlement") => Some(json!({"plan": "success_plus"})),
        (_, "/v1/operator/tenants/{tenant}/installation") => Some(json!({"version": "3.70"})),
        (_, "/v1/catalogs/{id}/mail-connection") => Some(json!({"enabled": true})),
        (_, "/v1/catalogs/{id}/groups") => Some(json!({"group": Uuid::from_u128(2)})),
        (_, "/v1/catalogs/{id}/sessions" | "/v1/catalogs/{id}/sessions/{session}") => {
            Some(json!({"title": "Attack"}))
        }
        (_, "/v1/directory/guests") => Some(json!({"address": "eve@evil.example"})),
        (_, "/v1/sync") => Some(json!({"target": "https://evil.example/scim"})),
        (_, "/v1/sync/activate" | "/v1/sync/deactivate" | "/v1/sync/disconnect") => {
            Some(json!({"confirm": true}))
        }
        (_, "/v1/sync/runs/{id}/decisions") => Some(json!({"all": "accept", "apply": true})),
        (_, "/v1/operator/tenants/{tenant}/sync-times") => Some(json!({"times": ["00:00"]})),
        (_, "/v1/settings/test" | "/v1/sync/test" | "/v1/sync/runs") => Some(json!({})),
        (_, path) if path.ends_with("/connect") || path.ends_with("/read") => Some(json!({})),
        other => panic!("{other:?} has no body here"),
    }
}

async fn request(admin: &Admin, route: &Route, path: &str) -> Answer {
    let headers = [("if-match", "\"1\"")];
    admin.send(route.method, path, body(route), &headers).await
}

/// Returns all data about a tenant in the table and on the simulators.
async fn everything(app: &TestApp) -> (Vec<String>, usize) {
    (app.items().await, app.writes().len())
}

/// Proves S4-033 and X-12. Isolation: a caller with another tenant's token, or with another
/// tenant's ids, gets 401, 403 or 404 or the (empty) data of their own tenant on every route, and
/// changes nothing.
#[tokio::test]
async fn another_tenant_is_never_seen_nor_changed() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let (id, _) = create(&app.admin("Owner"), draft("Secret plan", "Denver")).await;
    app.maintained().await;
    let run = app.admin("Owner").get("/v1/runs").await.body["items"][0]["id"].clone();
    let run = run.as_str().expect("no run").to_owned();
    let other = TestApp::ready(TestTenant::small()).await;
    let all = Role::ALL.map(Role::name);
    let stranger = other.admin_of(other.id.uuid(), &all);
    let before = everything(&app).await;
    for route in ROUTES
        .iter()
        .filter(|route| route.permission != Permission::Public)
    {
        let path = filled(route, id, &app, &run);
        let answer = request(&stranger, route, &path).await;
        let names_something = route.path.contains('{');
        if names_something {
            assert!(
                [401, 403, 404].contains(&answer.status),
                "{} {path}: {} {}",
                route.method,
                answer.status,
                answer.body
            );
        }
        let text = answer.body.to_string();
        assert!(!text.contains("Secret plan"), "{} {path}", route.method);
        assert!(
            !text.contains(&app.id.to_string()),
            "{} {path}",
            route.method
        );
    }
    // Ids and cursors of another tenant in bodies and queries are rejected as well.
    let owner = other.admin("Owner");
    let ask = json!({"profile": draft("Mine", "Oslo"), "id": id});
    owner.post("/v1/profiles/preview", ask).await.expect(404);
    let naming = json!({"overrides": {"include": [{"profile": id}, {"user": app.user("Ada")}]}});
    let named = owner
        .post("/v1/profiles", with(draft("Mine", "Oslo"), naming))
        .await;
    let mut named = named.expect(422);
    named.sort_errors();
    let expected = ["/overrides/include/0", "/overrides/include/1"];
    assert_eq!(named.pointers(), expected);
    let own = app
        .admin("Owner")
        .get("/v1/audit?limit=1")
        .await
        .expect(200);
    let cursor = own.body["nextCursor"].as_str().expect("no cursor");
    let theirs = owner.get(&format!("/v1/audit?cursor={cursor}")).await;
    assert!(!theirs.expect(200).body.to_string().contains("Secret plan"));
    assert_eq!(
        everything(&app).await,
        before,
        "something of the other tenant has changed"
    );
}

/// Proves S4-005 and X-03: every role is admitted to every route as in the table, else 403;
/// without a role 403 with the contact to ask; without a token 401.
#[tokio::test]
async fn every_role_on_every_route() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let owner = app.admin("Owner");
    let (id, _) = create(&owner, draft("Denver", "Denver")).await;
    app.maintained().await;
    let admins: BTreeMap<&str, Admin> = Role::ALL
        .map(Role::name)
        .into_iter()
        .map(|name| (name, app.admin(name)))
        .collect();
    app.give_catalog(admins["CatalogAdmin"].object, "Academy")
        .await;
    let nobody = app.admin_of(app.id.uuid(), &[]);
    for route in ROUTES
        .iter()
        .filter(|route| route.permission != Permission::Public)
    {
        let path = filled(route, id, &app, "refresh-2026-01-01T00:00:00Z");
        for (name, admin) in &admins {
            let allowed = route
                .permission
                .roles()
                .iter()
                .any(|role| role.name() == *name);
            // The body is missing where one is required, so that admitted callers change nothing.
            let answer = admin
                .send(route.method, &path, None, &[("if-match", "\"0\"")])
                .await;
            let operator = route.permission == Permission::Operate;
            if allowed && !operator {
                let not_let_in = [401, 403].contains(&answer.status);
                assert!(
                    !not_let_in,
                    "{name} {} {path}: {}",
                    route.method, answer.body
                );
            } else {
                assert_eq!(
                    answer.status, 403,
                    "{name} {} {path}: {}",
                    route.method, answer.body
                );
            }
        }
        let answer = nobody
            .send(route.method, &path, None, &[])
            .await
            .expect(403);
        assert!(answer.detail().contains("has not been set up for access"));
        assert_eq!(answer.body["type"], "urn:rollcall:no-role");
        let answer = Admin::without_token(&app)
            .send(route.method, &path, None, &[])
            .await;
        assert_eq!(answer.status, 401, "{} {path}", route.method);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

/// The route table, the router and the document list the same routes.
#[tokio::test]
async fn the_table_is_what_is_served_and_documented() {
    let app = TestApp::ready(TestTenant::small()).await;
    let document = app
        .admin("Owner")
        .get("/v1/openapi.json")
        .await
        .expect(200)
        .body;
    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().expect("no paths") {
        for method in ["get", "post", "put", "delete", "patch"] {
            if item.get(method).is_some() {
                documented.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    documented.sort();
    let mut table: Vec<_> = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    table.sort();
    assert_eq!(documented, table);
    assert!(
        document["openapi"]
            .as_str()
            .expect("no version")
            .starts_with("3.1")
    );
}

/// Proves S4-001: with an operator tenant, only tenants whose plan includes the service can use
/// it; only operators of that tenant can enter plans.
#[tokio::test]
async fn plans_decide_who_may_use_the_service() {
    let app = TestApp::ready(TestTenant::small()).await;
    let operators = Uuid::new_v4();
    let app = Box::pin(app.operated_by(operators)).await;
    let owner = app.admin("Owner");
    let refused = owner.get("/v1/profiles").await.expect(403);
    assert_eq!(refused.body["type"], "urn:rollcall:not-in-plan");
    assert!(
        refused
            .detail()
            .contains("Success Plus and Success Premium")
    );
    let path = format!("/v1/operator/tenants/{}/entitlement", app.id);
    // Any tenant can assign the role to its users; it is valid in the operators' tenant only.
    let pretender = app.admin("Operator");
    let plan = json!({"plan": "success_premium"});
    pretender.put(&path, "", plan.clone()).await.expect(403);
    let operator = app.admin_of(operators, &["Operator"]);
    operator.get(&path).await.expect(404);
    let wrong = operator
        .put(&path, "", json!({"plan": "gold", "until": "soon"}))
        .await;
    assert_eq!(wrong.expect(422).pointers(), ["/plan", "/until"]);
    operator.put(&path, "", plan).await.expect(200);
    assert_eq!(
        operator.get(&path).await.expect(200).body["plan"],
        "success_premium"
    );
    let owner = app.admin("Owner");
    owner.get("/v1/profiles").await.expect(200);
    let ended = json!({"plan": "success_plus", "until": "2020-01-01T00:00:00Z"});
    operator.put(&path, "", ended).await.expect(200);
    app.admin("Owner").get("/v1/profiles").await.expect(403);
    let audit = app
        .services
        .store
        .audit_page(app.id, None, 1)
        .await
        .expect("audit not read");
    assert_eq!(audit.items[0].1.details["plan"], "success_plus");
}

/// CORS allows the console's origin and no other.
#[tokio::test]
async fn only_the_consoles_origin_is_allowed() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let ask = |origin: &'static str| {
        let admin = admin.clone();
        async move {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "PUT"),
                ("access-control-request-headers", "authorization,if-match"),
            ];
            admin.send("OPTIONS", "/v1/settings", None, &headers).await
        }
    };
    let own = ask(crate::harness::FRONTEND).await;
    assert_eq!(
        own.header("access-control-allow-origin"),
        crate::harness::FRONTEND
    );
    assert!(
        own.header("access-control-allow-headers")
            .contains("if-match")
    );
    let other = ask("https://evil.example").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    let headers = [("origin", crate::harness::FRONTEND)];
    let answer = admin
        .send("GET", "/v1/profiles", None, &headers)
        .await
        .expect(200);
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("etag")
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

/// Proves S4-004: users sign in at the authority of the deployment's cloud.
#[tokio::test]
async fn sign_in_is_reported_per_cloud() {
    let app = TestApp::ready(TestTenant::small()).await;
    let body = app.admin("Owner").get("/v1/sign-in").await.expect(200).body;
    assert_eq!(body["cloud"], "global");
    let authority = body["authority"].as_str().expect("not a string");
    assert!(
        authority.starts_with(&app.simulators.entra_url()),
        "{authority}"
    );
    assert_eq!(
        body["scope"],
        format!("{}/.default", crate::harness::AUDIENCE)
    );
}
