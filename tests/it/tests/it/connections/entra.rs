//! The connection to the directory (S0): begun in the API, carried through Microsoft's pages, proved.

use std::collections::BTreeSet;

use rollcall_clients::store::StoreError;
use rollcall_domain::base::audit::Action;
use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_simulators::{ConsentChoice, FaultKind};
use serde_json::{Value, json};

use crate::harness::{App, CLIENT_ID, FRONTEND, Return, Town};

/// A tenant of the newest version whose Global Administrator is Ada.
async fn app() -> App {
    let app = App::of(Town::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    app
}

/// The directory's connection as the API shows it.
async fn shown(app: &App) -> Value {
    let list = app
        .admin("LmsAdmin")
        .get("/v1/connections")
        .await
        .expect(200);
    list.body["items"][0].clone()
}

/// Ada begins; where Microsoft's sign-in is.
async fn begin(app: &App, return_to: &str) -> String {
    let ada = app.person("Ada", &[], true);
    let body = json!({"returnTo": return_to});
    let begun = ada
        .post("/v1/connections/entra/connect", body)
        .await
        .expect(201);
    begun.body["url"].as_str().expect("not a string").to_owned()
}

/// From the sign-in to the consent page.
async fn to_consent(app: &App, url: &str) -> String {
    let back = app.sign_in(url, &App::address("Ada"), ConsentChoice::Accept);
    let onwards = app.come_back(&back).await.url.to_string();
    assert!(onwards.contains("/v2.0/adminconsent"), "{onwards}");
    onwards
}

/// The whole way.
async fn connect(app: &App) -> Return {
    let url = begin(app, "/settings/api-keys?tab=2").await;
    let consent = to_consent(app, &url).await;
    let back = app.sign_in(&consent, &App::address("Ada"), ConsentChoice::Accept);
    app.come_back(&back).await
}

async fn audited(app: &App) -> Vec<Action> {
    let page = app
        .services
        .store
        .audit_page(app.id, None, 50)
        .await
        .expect("audit not read");
    let mut actions: Vec<_> = page
        .items
        .into_iter()
        .map(|(_, event)| event.action)
        .collect();
    actions.reverse();
    actions
}

/// Proves S0-16, S0-17, S0-19 and S0-20: sign in, accept, come back to the page it began on, connected.
#[tokio::test]
async fn the_directory_is_connected() {
    let app = app().await;
    assert_eq!(shown(&app).await["status"], "not_configured");
    let back = connect(&app).await;
    let place = back.url.as_str();
    assert!(
        place.starts_with(&format!("{FRONTEND}/settings/api-keys?tab=2&")),
        "{place}"
    );
    assert_eq!(
        (back.param("connection"), back.param("result")),
        ("entra".to_owned(), "connected".to_owned())
    );
    let shown = shown(&app).await;
    assert_eq!(shown["status"], "connected");
    assert_eq!(
        (&shown["origin"], &shown["account"]),
        (&json!("consented"), &json!("Contoso"))
    );
    assert_eq!(shown["connectedBy"], App::address("Ada"));
    assert_eq!(shown["capabilities"], json!(["directory", "guests"]));
    let actions = audited(&app).await;
    assert!(
        actions.ends_with(&[Action::ConnectionBegun, Action::ConnectionMade]),
        "{actions:?}"
    );
}

/// Proves S0-15: any other role is refused, and nothing is stored.
#[tokio::test]
async fn only_a_global_administrator_connects() {
    let app = app().await;
    let before = app.items().await;
    for role in ["Owner", "SuperAdmin", "ItAdmin", "LmsAdmin", "CatalogAdmin"] {
        let refused = app
            .admin(role)
            .post("/v1/connections/entra/connect", json!({}))
            .await;
        refused.expect(403);
    }
    assert_eq!(app.items().await, before);
}

/// Proves S0-01, S0-02, S0-03 and C-01: before 3.74 it is connected by itself, and not set up here.
#[tokio::test]
async fn an_older_tenant_is_connected_by_default() {
    let app = app().await;
    app.installed("3.73.9").await;
    let seen = shown(&app).await;
    assert_eq!(
        (&seen["status"], &seen["origin"]),
        (&json!("connected"), &json!("default"))
    );
    assert_eq!(seen["applicable"], false);
    let ada = app.person("Ada", &[], true);
    let refused = ada
        .post("/v1/connections/entra/connect", json!({}))
        .await
        .expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:not-applicable");
    app.installed("3.74").await;
    assert_eq!(shown(&app).await["applicable"], true);
}

/// Proves S0-05: connecting the directory is the first step of setting up.
#[tokio::test]
async fn connecting_comes_first() {
    let app = app().await;
    let lists = async || {
        let list = app
            .admin("ItAdmin")
            .get("/v1/connections")
            .await
            .expect(200);
        list.body["checklist"].clone()
    };
    let before = lists().await;
    assert_eq!(
        (&before[0]["id"], &before[0]["done"]),
        (&json!("connect_directory"), &json!(false))
    );
    connect(&app).await;
    assert_eq!(lists().await[0]["done"], true);
}

/// Proves S0-06 and C-02: it cannot be disconnected; the try is answered with the reason and audited.
#[tokio::test]
async fn it_cannot_be_disconnected() {
    let app = app().await;
    connect(&app).await;
    for admin in [app.person("Ada", &[], true), app.admin("Owner")] {
        let refused = admin.delete("/v1/connections/entra").await.expect(409);
        assert_eq!(refused.body["type"], "urn:rollcall:not-disconnectable");
        assert!(refused.detail().contains("cannot be disconnected"));
    }
    assert_eq!(shown(&app).await["status"], "connected");
    let tries = audited(&app).await;
    assert_eq!(
        tries
            .iter()
            .filter(|action| **action == Action::ConnectionEndRefused)
            .count(),
        2
    );
}

/// Proves S0-07: before it works it is cancelled and begun again at will.
#[tokio::test]
async fn an_attempt_is_dropped_and_repeated() {
    let app = app().await;
    let url = begin(&app, "/").await;
    assert_eq!(shown(&app).await["status"], "pending_consent");
    app.admin("Owner")
        .delete("/v1/connections/entra")
        .await
        .expect(403);
    let ada = app.person("Ada", &[], true);
    ada.delete("/v1/connections/entra").await.expect(204);
    ada.delete("/v1/connections/entra").await.expect(204);
    to_consent(&app, &url).await;
    assert_eq!(connect(&app).await.param("result"), "connected");
}

/// Proves S0-21 and S0-22: declined, wrong account and wrong tenant are told apart, with Microsoft's
/// code, and leave nothing half done.
#[tokio::test]
async fn each_failure_has_its_name() {
    let app = app().await;
    let declined = app.sign_in(
        &begin(&app, "/").await,
        &App::address("Ada"),
        ConsentChoice::Decline,
    );
    let back = app.come_back(&declined).await;
    assert_eq!(
        (back.param("result"), back.param("code")),
        ("declined".to_owned(), "AADSTS65004".to_owned())
    );
    let seen = shown(&app).await;
    assert_eq!(
        (&seen["status"], &seen["fault"]["code"]),
        (&json!("error"), &json!("AADSTS65004"))
    );
    assert!(
        seen["fault"]["text"]
            .as_str()
            .expect("not a string")
            .contains("declined")
    );

    let consent = to_consent(&app, &begin(&app, "/").await).await;
    let no = app.sign_in(&consent, &App::address("Ada"), ConsentChoice::Decline);
    assert!(
        no.contains("admin_consent=True"),
        "Microsoft says so even then: {no}"
    );
    assert_eq!(app.come_back(&no).await.param("result"), "declined");

    let alan = app.sign_in(
        &begin(&app, "/").await,
        &App::address("Alan"),
        ConsentChoice::Accept,
    );
    assert_eq!(app.come_back(&alan).await.param("result"), "wrong_account");
    assert_eq!(connect(&app).await.param("result"), "connected");
}

/// Proves S0-22: an error never undoes what works.
#[tokio::test]
async fn what_works_survives_later_failures() {
    let app = app().await;
    let early = to_consent(&app, &begin(&app, "/").await).await;
    connect(&app).await;
    let no = app.sign_in(&early, &App::address("Ada"), ConsentChoice::Decline);
    assert_eq!(app.come_back(&no).await.param("result"), "declined");
    assert_eq!(shown(&app).await["status"], "connected");
    let again = to_consent(&app, &begin(&app, "/").await).await;
    assert_eq!(shown(&app).await["status"], "connected", "begun, not lost");
    let no = app.sign_in(&again, &App::address("Ada"), ConsentChoice::Decline);
    assert_eq!(app.come_back(&no).await.param("result"), "declined");
    assert_eq!(shown(&app).await["status"], "connected");
}

/// Proves S0-21 for a consent that is withdrawn later: whoever uses the directory notices, it is
/// shown with Microsoft's code, told once, and connecting again is all it takes.
#[tokio::test]
async fn a_withdrawn_consent_is_noticed_and_told_once() {
    let app = app().await;
    app.edit(|outside| outside.world.behaviour.token_lifetime_s = 1);
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let people = "/v1/directory/users?search=Al";
    admin.get(people).await.expect(200);
    app.edit(|outside| outside.consents.clear());
    let twice = futures::future::join(admin.get(people), admin.get(people));
    let (one, other) = twice.await;
    for refused in [one, other] {
        let refused = refused.expect(409);
        assert!(refused.body["connect"].is_string(), "{}", refused.body);
    }
    let seen = shown(&app).await;
    let code = seen["fault"]["code"].as_str().expect("a code");
    assert!(code.starts_with("AADSTS700"), "{seen}");
    let told = app.notify().await;
    let lost = |notice: &Notice| matches!(notice.about, NoticeKind::ConnectionLost { .. });
    let ids: BTreeSet<_> = told.iter().filter(|it| lost(it)).map(|it| it.id).collect();
    assert_eq!(ids.len(), 1, "{told:?}");
    admin.get(people).await.expect(409);
    assert!(app.notify().await.is_empty(), "told already");
    assert_eq!(connect(&app).await.param("result"), "connected");
    admin.get(people).await.expect(200);
}

/// A consent takes Microsoft a while: the proof is repeated, and a tick goes on with it.
#[tokio::test]
async fn a_consent_that_spreads_slowly_is_proved_later() {
    let app = app().await;
    app.edit(|outside| outside.world.behaviour.consent_propagation_ms = 1_500);
    assert_eq!(
        connect(&app).await.param("result"),
        "connected",
        "the callback waits a while"
    );

    let slow = self::app().await;
    slow.edit(|outside| outside.world.behaviour.consent_propagation_ms = 3_600_000);
    let url = begin(&slow, "/").await;
    let consent = to_consent(&slow, &url).await;
    let back = slow.sign_in(&consent, &App::address("Ada"), ConsentChoice::Accept);
    assert_eq!(slow.come_back(&back).await.param("result"), "pending");
    assert_eq!(shown(&slow).await["status"], "pending_consent");
    slow.tick("connections").await;
    assert_eq!(shown(&slow).await["status"], "pending_consent");
    slow.edit(|outside| outside.world.behaviour.consent_propagation_ms = 0);
    slow.tick("connections").await;
    assert_eq!(shown(&slow).await["status"], "connected");
}

/// Proves S0-08, S0-11, S0-14 and S0-18: without the connection each feature is refused with the
/// way to connect, with it each works.
#[tokio::test]
async fn features_wait_for_the_connection() {
    let app = App::ready(Town::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    app.edit(|outside| {
        outside.world.people[1].manager = outside.world.people[0].object_id;
        outside.world.people[1].department = Some("Sales".to_owned());
    });
    let admin = app.admin("LmsAdmin");
    let alan = format!("/v1/directory/users/{}", app.object("Alan"));
    let catalog = format!("/v1/catalogs/{}/groups", app.catalog("Academy"));
    for path in ["/v1/directory/users", "/v1/directory/groups", &alan] {
        let refused = admin.get(path).await.expect(409);
        assert_eq!(refused.body["type"], "urn:rollcall:integration-required");
        assert_eq!(refused.body["connect"], "/v1/connections/entra/connect");
    }
    for (path, body) in [("/v1/directory/guests", json!({})), (&catalog, json!({}))] {
        let refused = admin.post(path, body).await.expect(409);
        assert_eq!(refused.body["type"], "urn:rollcall:integration-required");
    }
    let features = async || {
        let list = admin.get("/v1/connections").await.expect(200);
        let all = list.body["features"].as_array().expect("a list").clone();
        assert!(all.iter().all(|it| it["requiresIntegration"] == true));
        all.iter().filter(|it| it["available"] == true).count()
    };
    assert_eq!(features().await, 0);
    connect(&app).await;
    assert_eq!(features().await, 6);
    let found = admin.get("/v1/directory/users?search=Al").await.expect(200);
    assert_eq!(found.body["items"][0]["name"], "Alan");
    let person = admin.get(&alan).await.expect(200);
    assert_eq!(person.body["department"], "Sales");
    assert_eq!(person.body["managers"][0]["name"], "Ada");
}

/// Proves S0-09: a group of the directory is added to a catalog and enrolled.
#[tokio::test]
async fn a_group_is_added_and_enrolled() {
    let app = App::ready(Town::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    connect(&app).await;
    let group = uuid::Uuid::new_v4();
    app.edit(|outside| {
        outside
            .world
            .groups
            .push(rollcall_simulators::world::EntraGroup {
                id: group,
                display_name: "Sales people".to_owned(),
                unique_name: None,
                description: None,
                mail_nickname: "sales".to_owned(),
                dynamic: false,
                on_premises_synced: false,
                role_assignable: false,
                members: [].into(),
            });
    });
    let admin = app.admin("LmsAdmin");
    let found = admin
        .get("/v1/directory/groups?search=Sal")
        .await
        .expect(200);
    assert_eq!(found.body["items"][0]["name"], "Sales people");
    let path = format!("/v1/catalogs/{}/groups", app.catalog("Academy"));
    let course = app.course("Security 101");
    let body = json!({"group": group, "courses": [course]});
    let first = admin.post(&path, body.clone()).await.expect(200);
    assert_eq!(
        first.body["waiting"],
        json!([course]),
        "the platform has to see it first"
    );
    let second = admin.post(&path, body).await.expect(200);
    assert_eq!(second.body["enrolled"], json!([course]));
    assert!(app.outside().is_group_enrolled(group, course.uuid()));
    let strange = admin
        .post(&path, json!({"group": uuid::Uuid::new_v4()}))
        .await
        .expect(422);
    assert_eq!(strange.pointers(), ["/group"]);
}

/// Proves S0-10: what changes in the directory shows at once, without anybody doing anything.
#[tokio::test]
async fn changes_in_the_directory_show_at_once() {
    let app = App::ready(Town::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let path = format!("/v1/directory/users/{}", app.object("Grace"));
    assert_eq!(admin.get(&path).await.expect(200).body["enabled"], true);
    app.edit(|outside| {
        outside.world.people[2].display_name = "Grace H.".to_owned();
        outside.world.people[2].account_enabled = false;
    });
    let after = admin.get(&path).await.expect(200);
    assert_eq!(
        (&after.body["name"], &after.body["enabled"]),
        (&json!("Grace H."), &json!(false))
    );
    app.edit(|outside| {
        outside.world.people.remove(2);
    });
    admin.get(&path).await.expect(404);
}

/// Proves S0-12: guests are invited.
#[tokio::test]
async fn a_guest_is_invited() {
    let app = App::ready(Town::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let wrong = admin
        .post("/v1/directory/guests", json!({"address": "nobody"}))
        .await
        .expect(422);
    assert_eq!(wrong.pointers(), ["/address"]);
    let invited = admin.post(
        "/v1/directory/guests",
        json!({"address": "kay@fabrikam.example"}),
    );
    let invited = invited.await.expect(201);
    let path = format!(
        "/v1/directory/users/{}",
        invited.body["id"].as_str().expect("not a string")
    );
    assert_eq!(admin.get(&path).await.expect(200).body["guest"], true);
    let own = admin.post(
        "/v1/directory/guests",
        json!({"address": App::address("Ada")}),
    );
    assert_eq!(own.await.expect(422).pointers(), ["/address"]);
}

/// Proves S0-13: API keys are kept only with the connection.
#[tokio::test]
async fn an_api_key_needs_the_connection() {
    let app = app().await;
    let admin = app.admin("ItAdmin");
    let settings = admin.get("/v1/settings").await.expect(200);
    let tag = settings.header("etag").to_owned();
    let key = app.outside().world.lms_keys[0].key.clone();
    let body = json!({"contact": "lms@contoso.example", "learn365ApiKey": key});
    let refused = admin
        .put("/v1/settings", &tag, body.clone())
        .await
        .expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:integration-required");
    connect(&app).await;
    admin.put("/v1/settings", &tag, body).await.expect(200);
}

/// Proves S0-23 and S0-24: all environments share the connection, those that come later too.
#[tokio::test]
async fn every_environment_is_connected() {
    let app = app().await;
    let operators = uuid::Uuid::new_v4();
    let app = Box::pin(app.operated_by(operators)).await;
    let operator = app.admin_of(operators, &["Operator"]);
    let path = format!("/v1/operator/tenants/{}", app.id);
    let plan = json!({"plan": "success_plus"});
    operator
        .put(&format!("{path}/entitlement"), "", plan)
        .await
        .expect(200);
    let enter = async |names: Value| {
        let body = json!({"version": "3.74", "environments": names});
        operator
            .put(&format!("{path}/installation"), "", body)
            .await
            .expect(200);
        let list = app
            .admin("ItAdmin")
            .get("/v1/connections")
            .await
            .expect(200);
        list.body["environments"].clone()
    };
    let before = enter(json!(["Europe"])).await;
    assert_eq!(
        before,
        json!([{"name": "Europe", "status": "not_configured"}])
    );
    connect(&app).await;
    let after = enter(json!(["Europe", "Asia"])).await;
    let connected = |name| json!({"name": name, "status": "connected"});
    assert_eq!(after, json!([connected("Asia"), connected("Europe")]));
    let path = format!("{path}/installation");
    let refused = operator.put(&path, "", json!({"version": "new"}));
    assert_eq!(refused.await.expect(422).pointers(), ["/version"]);
}

/// A table that does not answer uses nothing up twice and says so.
#[tokio::test]
async fn trouble_with_microsoft_is_told_as_trouble() {
    let app = app().await;
    app.fault(
        "/oauth2/v2.0/token",
        FaultKind::Status {
            code: 503,
            retry_after: None,
            body: None,
        },
        1,
        10,
    );
    let url = begin(&app, "/").await;
    let back = app.sign_in(&url, &App::address("Ada"), ConsentChoice::Accept);
    assert_eq!(app.come_back(&back).await.param("result"), "unavailable");
    app.clear_faults();
    app.callback(&back).await.expect(400);
    let taken = app.services.store.take_oauth_state::<Value>("none").await;
    assert!(matches!(taken, Ok(None) | Err(StoreError::Service(_))));
    assert_ne!(CLIENT_ID, uuid::Uuid::nil());
}
