//! Attacks on sign-ins and their results.

use rollcall_runtime::auth::{AuthError, Identities};
use rollcall_simulators::{ConsentChoice, Simulators, TokenFlaw, UserTokenSpec};
use serde_json::{Value, json};

use crate::harness::{FRONTEND, PUBLIC, TestApp, TestTenant};

async fn app() -> TestApp {
    let tenant = TestTenant::small()
        .global_admin("Ada")
        .global_admin("Grace");
    let app = TestApp::of(tenant).await;
    app.installed("3.74").await;
    app
}

async fn begin(app: &TestApp, name: &str) -> String {
    let admin = app.person(name, &[], true);
    let begun = admin
        .post("/v1/connections/entra/connect", json!({}))
        .await
        .expect(201);
    begun.body["url"].as_str().expect("not a string").to_owned()
}

async fn status(app: &TestApp) -> Value {
    let list = app
        .admin("LmsAdmin")
        .get("/v1/connections")
        .await
        .expect(200);
    list.body["items"][0]["status"].clone()
}

fn param(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).expect("invalid address");
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Returns the callback URL with these parameters.
fn forged(pairs: &[(&str, &str)]) -> String {
    let base = format!("{PUBLIC}/oauth/callback");
    url::Url::parse_with_params(&base, pairs)
        .expect("invalid address")
        .to_string()
}

/// Signs in and returns the URL of the consent page; its state is the one that the callback
/// expects next.
async fn at_consent(app: &TestApp, name: &str) -> String {
    let url = begin(app, name).await;
    let back = app.sign_in(&url, &TestApp::address(name), ConsentChoice::Accept);
    app.come_back(&back).await.url.to_string()
}

/// Attack: the same redirect twice (S0-22). The second gets the page to start again.
#[tokio::test]
async fn a_replayed_state_is_refused() {
    let app = app().await;
    let back = app.sign_in(
        &begin(&app, "Ada").await,
        &TestApp::address("Ada"),
        ConsentChoice::Accept,
    );
    app.come_back(&back).await;
    let again = app.callback(&back).await.expect(400);
    assert!(again.detail().contains("expired or was already used"));
}

/// Attack: the state of another user: Grace completes the sign-in that Ada began.
#[tokio::test]
async fn a_state_of_another_user_is_refused() {
    let app = app().await;
    let back = app.sign_in(
        &begin(&app, "Ada").await,
        &TestApp::address("Grace"),
        ConsentChoice::Accept,
    );
    assert_eq!(app.come_back(&back).await.param("result"), "wrong_account");
    assert_eq!(status(&app).await, "error");
}

/// Attack: a code from a sign-in in another tenant is injected under this tenant's state.
#[tokio::test]
async fn a_code_of_another_tenant_is_refused() {
    let (victim, attacker) = (app().await, app().await);
    let theirs = attacker.sign_in(
        &begin(&attacker, "Ada").await,
        &TestApp::address("Ada"),
        ConsentChoice::Accept,
    );
    let state = param(&begin(&victim, "Ada").await, "state");
    let injected = forged(&[("code", &param(&theirs, "code")), ("state", &state)]);
    let back = victim.come_back(&injected).await;
    assert_ne!(back.param("result"), "connected");
    assert_eq!(status(&victim).await, "error");
}

/// Attack: a code of the attacker's own sign-in is injected under the victim's state. The PKCE
/// verifiers of the two sign-ins differ, so Microsoft refuses to redeem it.
#[tokio::test]
async fn an_injected_code_is_refused() {
    let app = app().await;
    let own = app.sign_in(
        &begin(&app, "Ada").await,
        &TestApp::address("Ada"),
        ConsentChoice::Accept,
    );
    let victims = param(&begin(&app, "Grace").await, "state");
    let injected = forged(&[("code", &param(&own, "code")), ("state", &victims)]);
    let back = app.come_back(&injected).await;
    assert_eq!(
        (back.param("result"), back.param("code")),
        ("expired".to_owned(), "AADSTS501481".to_owned())
    );
    assert_ne!(status(&app).await, "connected");
}

/// Attack: PKCE is omitted or weakened. Every sign-in uses S256, and a code without its verifier
/// is rejected.
#[tokio::test]
async fn every_sign_in_carries_pkce() {
    let app = app().await;
    let url = begin(&app, "Ada").await;
    assert_eq!(param(&url, "code_challenge_method"), "S256");
    assert_eq!(param(&url, "code_challenge").len(), 43);
    let back = app.sign_in(&url, &TestApp::address("Ada"), ConsentChoice::Accept);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &crate::harness::CLIENT_ID.to_string()),
        ("client_secret", "simulated-service-secret"),
        ("redirect_uri", &format!("{PUBLIC}/oauth/callback")),
        ("code", &param(&back, "code")),
    ];
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        app.simulators.entra_url(),
        app.id
    );
    let stolen = reqwest::Client::new()
        .post(url)
        .form(&form)
        .send()
        .await
        .expect("request failed");
    assert_eq!(stolen.status(), 400);
}

/// Attack: `admin_consent=True` is forged. Without a consent the app gets no token, so nothing is
/// connected.
#[tokio::test]
async fn a_forged_consent_proves_nothing() {
    let app = app().await;
    let consent = at_consent(&app, "Ada").await;
    let tenant = app.id.to_string();
    let state = param(&consent, "state");
    let url = forged(&[
        ("admin_consent", "True"),
        ("tenant", &tenant),
        ("state", &state),
    ]);
    let back = app.come_back(&url).await;
    assert_eq!(back.param("result"), "pending");
    assert_ne!(status(&app).await, "connected");
    let features = app.admin("LmsAdmin").get("/v1/directory/users").await;
    features.expect(409);
}

/// Attack: the consent of another tenant is presented under this tenant's state.
#[tokio::test]
async fn a_mixed_up_tenant_is_refused() {
    let (victim, other) = (app().await, app().await);
    let consent = at_consent(&victim, "Ada").await;
    let state = param(&consent, "state");
    for named in [
        other.id.to_string(),
        "organizations".to_owned(),
        String::new(),
    ] {
        let consent = at_consent(&victim, "Ada").await;
        let state = param(&consent, "state");
        let url = forged(&[
            ("admin_consent", "True"),
            ("tenant", &named),
            ("state", &state),
        ]);
        assert_eq!(
            victim.come_back(&url).await.param("result"),
            "wrong_tenant",
            "{named}"
        );
    }
    let missing = forged(&[("admin_consent", "True"), ("state", &state)]);
    assert_eq!(
        victim.come_back(&missing).await.param("result"),
        "wrong_tenant"
    );
    let tenant = victim.id.to_string();
    let consent = at_consent(&victim, "Ada").await;
    let unsaid = forged(&[("tenant", &tenant), ("state", &param(&consent, "state"))]);
    assert_eq!(victim.come_back(&unsaid).await.param("result"), "declined");
}

/// Attack: the return URL is on another site.
#[tokio::test]
async fn an_open_redirect_is_refused() {
    let app = app().await;
    let ada = app.person("Ada", &[], true);
    for place in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ] {
        let refused = ada
            .post("/v1/connections/entra/connect", json!({"returnTo": place}))
            .await;
        assert_eq!(refused.expect(422).pointers(), ["/returnTo"], "{place}");
    }
    let back = app.sign_in(
        &begin(&app, "Ada").await,
        &TestApp::address("Ada"),
        ConsentChoice::Decline,
    );
    let url = app.come_back(&back).await.url;
    assert_eq!(url.origin().ascii_serialization(), FRONTEND);
}

/// Attack: invalid identity tokens: unsigned, signed with another key, for another audience, of
/// another sign-in, expired.
#[tokio::test]
async fn a_bad_identity_token_is_refused() {
    let other = "11111111-1111-4111-8111-111111111111";
    let flaws = [
        TokenFlaw::Unsigned,
        TokenFlaw::WrongKey,
        TokenFlaw::UnknownKey,
        TokenFlaw::HmacWithPublicKey,
        TokenFlaw::OtherAlgorithm,
        TokenFlaw::Issuer("https://evil.example/v2.0".to_owned()),
        TokenFlaw::Claim("aud".to_owned(), json!(other)),
        TokenFlaw::Claim("nonce".to_owned(), json!("of another sign-in")),
        TokenFlaw::Claim("nonce".to_owned(), Value::Null),
        TokenFlaw::Claim("tid".to_owned(), json!(other)),
        TokenFlaw::Claim("exp".to_owned(), json!(1_000)),
        TokenFlaw::Claim("oid".to_owned(), json!("kay@contoso.example")),
        TokenFlaw::Claim("ver".to_owned(), json!("1.0")),
    ];
    let app = app().await;
    for flaw in flaws {
        app.edit(|outside| outside.world.behaviour.id_token_flaw = Some(flaw.clone()));
        let back = app.sign_in(
            &begin(&app, "Ada").await,
            &TestApp::address("Ada"),
            ConsentChoice::Accept,
        );
        let result = app.come_back(&back).await.param("result");
        assert_eq!(result, "expired", "{flaw:?}");
        assert_eq!(status(&app).await, "error", "{flaw:?}");
    }
}

/// Attack: a flood of identity tokens with invented key ids causes one request to Microsoft in
/// total.
#[tokio::test]
async fn a_flood_of_unknown_keys_asks_microsoft_once() {
    let app = app().await;
    let simulators = Simulators::start(0).await.expect("simulators not started");
    let mut settings = app.services.settings.clone();
    settings.entra_url = simulators.entra_url();
    let identities = Identities::new(&settings).expect("verifier not created");
    let audience = crate::harness::CLIENT_ID.to_string();
    for _ in 0..50 {
        let object = uuid::Uuid::new_v4();
        let spec = UserTokenSpec::new(app.id.uuid(), object, audience.clone());
        let token = simulators
            .user_token(&spec.flaw(TokenFlaw::UnknownKey))
            .expect("no token");
        let refused = identities.verify(&token, &audience, "a nonce").await;
        assert_eq!(refused, Err(AuthError::UnknownKey));
    }
    assert_eq!(simulators.key_fetches(), 1);
}

/// Attack: an error redirect contains markup and a foreign state; the response repeats none of
/// it.
#[tokio::test]
async fn nothing_a_browser_brings_is_repeated() {
    let app = app().await;
    let state = param(&begin(&app, "Ada").await, "state");
    let evil = "<script>alert(1)</script>";
    let url = forged(&[
        ("error", evil),
        ("error_description", evil),
        ("state", &state),
    ]);
    let back = app.come_back(&url).await;
    assert!(
        !back.url.as_str().contains('<') && !back.url.as_str().contains("%3Cscript"),
        "{}",
        back.url
    );
    assert_eq!(back.param("result"), "error");
    let router = rollcall_oauth_callback::router(app.services.clone()).expect("router not created");
    let request = axum::http::Request::get("/oauth/callback?state=%3Cscript%3E")
        .header("accept", "text/html")
        .body(axum::body::Body::empty());
    let response =
        lambda_runtime::tower::ServiceExt::oneshot(router, request.expect("invalid request")).await;
    let response = response.expect("infallible");
    assert_eq!(response.status(), 400);
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .expect("not UTF-8")
        .to_owned();
    assert!(policy.contains("default-src 'none'"));
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("body not read");
    let page = String::from_utf8(body.to_vec()).expect("not UTF-8");
    assert!(
        page.contains("Please start again") && page.contains(FRONTEND) && !page.contains("script")
    );
}
