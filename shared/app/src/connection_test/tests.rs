//! Tests both sides over HTTP against the simulators, with entered and with stored credentials.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET, ENTRA_APP, LMS_URL};
use rollcall_simulators::generate::{self, WorldSpec};
use rollcall_simulators::world::{KeyLevel, LmsKey};
use rollcall_simulators::{Fault, FaultKind, Simulators, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use rollcall_runtime::Settings;

/// A tenant, another organisation, and a secret store.
struct Site {
    simulators: Simulators,
    world: World,
    services: Services,
}

const OTHER: Uuid = Uuid::from_u128(0x07_4e12);

impl Site {
    /// Starts a site with these secrets in the store, by the last part of their names; with `None`
    /// the store returns errors.
    async fn with(stored: impl FnOnce(&World) -> Option<BTreeMap<&'static str, String>>) -> Self {
        let simulators = Simulators::start(0).await.expect("simulators not started");
        let world = generate::world(&spec(Uuid::from_u128(0x7e57), 1));
        simulators.load(world.clone());
        simulators.load(generate::world(&spec(OTHER, 2)));
        let vault = vault(stored(&world)).await;
        let services = services(&simulators, &vault).await;
        Self {
            simulators,
            world,
            services,
        }
    }

    /// Starts a site with an empty secret store.
    async fn new() -> Self {
        Self::with(|_| Some(BTreeMap::new())).await
    }

    fn id(&self) -> TenantId {
        TenantId::new(self.world.tenant.id)
    }

    /// Returns a complete and valid set of entered credentials.
    fn entered(&self) -> EnteredCredentials {
        let app = &self.world.apps[0];
        EnteredCredentials {
            lms_url: String::new(),
            client_id: Some(app.client_id.to_string()),
            client_secret: Some(Secret::new(app.client_secret.as_str())),
            lms_key: Some(Secret::new(self.world.lms_keys[0].key.as_str())),
        }
    }

    async fn test(&self, entered: &EnteredCredentials) -> ConnectionTest {
        let test = self.services.test_connection(self.id(), entered).await;
        let ids: Vec<_> = test.checks.iter().map(|check| check.id).collect();
        assert_eq!(ids, CheckId::ALL, "checks are missing or out of order");
        test
    }

    fn fails(&self, path: &str, kind: FaultKind) {
        let fault = Fault::once(path, kind).at(1, u32::MAX);
        self.simulators.add_fault(self.world.tenant.id, fault);
    }
}

fn spec(tenant: Uuid, seed: u64) -> WorldSpec {
    WorldSpec {
        tenant,
        seed,
        users: 80,
        ..WorldSpec::default()
    }
}

/// Starts a server that responds like Secrets Manager and returns its address.
async fn vault(stored: Option<BTreeMap<&'static str, String>>) -> String {
    let answer = move |Json(asked): Json<Value>| async move {
        let name = asked["SecretId"].as_str().unwrap_or_default().to_owned();
        let kind = name.rsplit('/').next().unwrap_or_default();
        let Some(stored) = stored else {
            let body =
                json!({ "__type": "InvalidParameterException", "message": "arn:aws:hidden" });
            return (StatusCode::BAD_REQUEST, Json(body));
        };
        let Some(secret) = stored.get(kind) else {
            let body = json!({ "__type": "ResourceNotFoundException" });
            return (StatusCode::BAD_REQUEST, Json(body));
        };
        let body = json!({ "Name": name, "SecretString": secret });
        (StatusCode::OK, Json(body))
    };
    // The SDK sends a special JSON content type; axum accepts only the standard one.
    let plain = axum::middleware::map_request(|mut request: axum::extract::Request| async move {
        let json = axum::http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        request
    });
    let router = axum::Router::new().fallback(answer).layer(plain);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("no free port");
    let address = listener.local_addr().expect("no local address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn services(simulators: &Simulators, vault: &str) -> Services {
    let mut variables: BTreeMap<String, String> = [
        "TABLE",
        "BUCKET",
        "REFRESH_QUEUE_URL",
        "MAINTENANCE_QUEUE_URL",
        "NOTICE_QUEUE_URL",
        "SECRET_PREFIX",
        "SYSTEM_SENDER",
    ]
    .into_iter()
    .map(|name| (format!("ROLLCALL_{name}"), "x".to_owned()))
    .collect();
    for (name, url) in [
        ("ENTRA_AUTHORITY_URL", simulators.entra_url()),
        ("GRAPH_URL", simulators.graph_url()),
        ("LEARN365_URL", simulators.learn365_url()),
    ] {
        variables.insert(format!("ROLLCALL_{name}"), url);
    }
    let settings = Settings::read(&variables).expect("settings incomplete");
    let config = rollcall_clients::aws::emulator(vault, "eu-central-1").await;
    Services::new(settings, &config).expect("clients not created")
}

fn check(test: &ConnectionTest, id: CheckId) -> &Check {
    let mut all = test.checks.iter();
    all.find(|check| check.id == id).expect("check missing")
}

/// Returns the ids and pointers of the failed checks.
fn failed(test: &ConnectionTest) -> Vec<(CheckId, Option<&str>)> {
    let all = test.checks.iter();
    all.filter(|check| check.status == CheckStatus::Failed)
        .map(|check| (check.id, check.pointer.as_deref()))
        .collect()
}

/// Proves X-10: both sides are tested without a write.
/// Proves S4-002: a key of the customer's own tenant passes.
#[tokio::test]
async fn right_credentials_pass_and_nothing_changes() {
    let site = Site::new().await;
    let before = site.simulators.dump(site.world.tenant.id);
    let test = site.test(&site.entered()).await;
    assert!(test.ok && !test.is_incomplete(), "{test:?}");
    let tenant = check(&test, CheckId::Learn365Tenant);
    assert_eq!(tenant.status, CheckStatus::Passed);
    assert!(tenant.detail.contains("are in your Microsoft Entra"));
    assert_eq!(site.simulators.dump(site.world.tenant.id), before);
}

/// Proves S4-002: a key that was created in another tenant is rejected.
#[tokio::test]
async fn a_key_of_another_organisation_fails() {
    let site = Site::new().await;
    let entered = EnteredCredentials {
        lms_key: Some(Secret::new(generate::lms_key(OTHER))),
        ..site.entered()
    };
    let test = site.test(&entered).await;
    assert!(!test.ok);
    assert_eq!(failed(&test), [(CheckId::Learn365Tenant, Some(LMS_KEY))]);
    let detail = &check(&test, CheckId::Learn365Tenant).detail;
    assert!(detail.contains("another organisation's"), "{detail}");
}

/// Proves S4-002: a Read Only key is rejected, whatever else is valid.
#[tokio::test]
async fn a_read_only_key_fails() {
    let site = Site::new().await;
    site.simulators.edit(site.world.tenant.id, |state| {
        let key = "simulated-reader-key".to_owned();
        let level = KeyLevel::ReadOnly;
        state.world.lms_keys.push(LmsKey { key, level });
    });
    let entered = EnteredCredentials {
        lms_key: Some(Secret::new("simulated-reader-key")),
        ..site.entered()
    };
    let test = site.test(&entered).await;
    assert_eq!(failed(&test), [(CheckId::Learn365KeyLevel, Some(LMS_KEY))]);
}

#[tokio::test]
async fn failures_of_both_sides_come_together() {
    let site = Site::new().await;
    let entered = EnteredCredentials {
        client_secret: Some(Secret::new("not-the-secret")),
        lms_key: Some(Secret::new("not-the-key")),
        ..site.entered()
    };
    let test = site.test(&entered).await;
    assert_eq!(
        failed(&test),
        [
            (CheckId::EntraSignIn, Some(CLIENT_SECRET)),
            (CheckId::Learn365Key, Some(LMS_KEY)),
        ]
    );
    let pointers: Vec<_> = test.problems().into_iter().map(|it| it.pointer).collect();
    assert_eq!(pointers, [CLIENT_SECRET, LMS_KEY]);
    let shown = format!("{entered:?} {test:?}");
    assert!(!shown.contains("not-the-"), "{shown}");
}

/// Values that are missing or blank are read from the secret store.
#[tokio::test]
async fn stored_credentials_are_tested_where_none_are_entered() {
    let site = Site::with(|world| {
        let app = &world.apps[0];
        let stored = json!({ "clientId": app.client_id, "clientSecret": app.client_secret });
        let key = world.lms_keys[0].key.clone();
        Some([("entra-app", stored.to_string()), ("learn365", key)].into())
    })
    .await;
    assert!(site.test(&EnteredCredentials::default()).await.ok);
    let blank = EnteredCredentials {
        client_id: Some(" ".to_owned()),
        client_secret: Some(Secret::new("")),
        lms_key: Some(Secret::new(" ")),
        ..EnteredCredentials::default()
    };
    assert!(site.test(&blank).await.ok);
    let other_app = EnteredCredentials {
        client_id: Some(Uuid::from_u128(1).to_string()),
        ..EnteredCredentials::default()
    };
    let test = site.test(&other_app).await;
    assert_eq!(failed(&test), [(CheckId::EntraSignIn, Some(CLIENT_ID))]);
}

#[tokio::test]
async fn what_was_never_entered_is_reported_and_a_silent_vault_blames_no_one() {
    let test = Site::new().await.test(&EnteredCredentials::default()).await;
    assert_eq!(
        failed(&test),
        [
            (CheckId::EntraSignIn, Some(ENTRA_APP)),
            (CheckId::Learn365Key, Some(LMS_KEY)),
        ]
    );
    let silent = Site::with(|_| None).await;
    let test = silent.test(&EnteredCredentials::default()).await;
    assert!(failed(&test).is_empty() && test.is_incomplete(), "{test:?}");
    assert!(!format!("{test:?}").contains("hidden"));
}

#[tokio::test]
async fn one_side_that_does_not_answer_leaves_the_other() {
    let down = FaultKind::Status {
        code: 503,
        retry_after: Some(60.0),
        body: None,
    };
    let site = Site::new().await;
    site.fails("/learn365/", down.clone());
    let test = site.test(&site.entered()).await;
    assert!(!test.ok && failed(&test).is_empty(), "{test:?}");
    let status = |id| check(&test, id).status;
    assert_eq!(status(CheckId::EntraUserReadAll), CheckStatus::Passed);
    assert_eq!(status(CheckId::Learn365Key), CheckStatus::NotChecked);
    assert_eq!(status(CheckId::Learn365Tenant), CheckStatus::NotChecked);

    let site = Site::new().await;
    site.fails("/token", down.clone());
    let test = site.test(&site.entered()).await;
    let status = |id| check(&test, id).status;
    assert_eq!(status(CheckId::EntraSignIn), CheckStatus::NotChecked);
    assert_eq!(status(CheckId::Learn365KeyLevel), CheckStatus::Passed);

    let site = Site::new().await;
    site.fails("/$batch", down);
    let test = site.test(&site.entered()).await;
    let status = |id| check(&test, id).status;
    assert_eq!(status(CheckId::Learn365KeyLevel), CheckStatus::Passed);
    assert_eq!(status(CheckId::Learn365Tenant), CheckStatus::NotChecked);
}

/// A side that never responds takes ten seconds, and the comparison is skipped.
#[tokio::test]
async fn silence_ends() {
    let site = Site::new().await;
    site.fails("/token", FaultKind::Delay { ms: 60_000 });
    site.fails("/learn365/", FaultKind::Delay { ms: 60_000 });
    let started = Instant::now();
    let test = site.test(&site.entered()).await;
    assert!(started.elapsed() < PATIENCE + Duration::from_secs(2));
    assert!(test.is_incomplete() && failed(&test).is_empty(), "{test:?}");
}

#[tokio::test]
async fn a_key_is_sent_to_the_vendors_addresses_only() {
    let site = Site::new().await;
    let entered = EnteredCredentials {
        lms_url: "https://us-api.365.systems.evil.example".to_owned(),
        ..site.entered()
    };
    let test = site.test(&entered).await;
    assert_eq!(failed(&test), [(CheckId::Learn365Address, Some(LMS_URL))]);
    let sent = site.simulators.requests(site.world.tenant.id);
    assert!(sent.iter().all(|it| !it.path.contains("/learn365/")));
}

/// Users without an Entra account prove nothing about the tenant of the key.
#[tokio::test]
async fn no_one_to_look_for_is_reported_as_such() {
    let site = Site::new().await;
    site.simulators.edit(site.world.tenant.id, |state| {
        for person in &mut state.world.people {
            person.object_id = None;
        }
        state.world.groups.clear();
    });
    let test = site.test(&site.entered()).await;
    let tenant = check(&test, CheckId::Learn365Tenant);
    assert_eq!(tenant.status, CheckStatus::NotChecked, "{tenant:?}");
    assert!(tenant.detail.contains("cannot be compared"), "{tenant:?}");
}
