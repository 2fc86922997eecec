//! Tests of tokens from the simulated endpoint, and from servers that misbehave.

use rollcall_simulators::{Fault, FaultKind};
use uuid::Uuid;

use super::*;
use crate::http::testing::{Act, Stub, Tenant, quick, reply};

const SCOPE: &str = "https://graph.microsoft.com/.default";

fn entra_of(tenant: &Tenant) -> Entra {
    Entra::new(quick(), &tenant.simulators.entra_url()).expect("invalid URL")
}

async fn ask(tenant: &Tenant) -> Result<AccessToken, EntraError> {
    let entra = entra_of(tenant);
    entra
        .app_token(tenant.id(), &tenant.client_id(), &tenant.secret(), SCOPE)
        .await
}

async fn ask_stub(stub: &Stub) -> Result<AccessToken, EntraError> {
    let entra = Entra::new(quick(), &stub.url).expect("invalid URL");
    let tenant = TenantId::new(Uuid::from_u128(7));
    entra
        .app_token(tenant, "the-app", &Secret::new("s3cret&="), SCOPE)
        .await
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_then_remembered() {
    let tenant = Tenant::start(|_| {}).await;
    let entra = entra_of(&tenant);
    let (app, secret) = (tenant.client_id(), tenant.secret());
    let first = entra
        .app_token(tenant.id(), &app, &secret, SCOPE)
        .await
        .expect("no token");
    let second = entra
        .clone()
        .app_token(tenant.id(), &app, &secret, SCOPE)
        .await
        .expect("no token");
    assert_eq!(first.secret().expose(), second.secret().expose());
    assert_eq!(tenant.asked("/token").len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_requested_again() {
    let tenant = Tenant::start(|_| {}).await;
    let entra = entra_of(&tenant);
    let (app, secret) = (tenant.client_id(), tenant.secret());
    let token = entra
        .app_token(tenant.id(), &app, &secret, SCOPE)
        .await
        .expect("no token");
    entra.forget(tenant.id(), &app, &secret, SCOPE, &token);
    entra
        .app_token(tenant.id(), &app, &secret, SCOPE)
        .await
        .expect("no token");
    assert_eq!(tenant.asked("/token").len(), 2);
}

#[tokio::test]
async fn the_request_is_the_client_credentials_grant() {
    let body = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t"}"#;
    let stub = Stub::start(move |_| reply(200, "Content-Type: application/json\r\n", body)).await;
    ask_stub(&stub).await.expect("no token");
    let request = &stub.requests()[0];
    let path = "POST /00000000-0000-0000-0000-000000000007/oauth2/v2.0/token HTTP/1.1";
    assert!(request.starts_with(path), "{request}");
    for field in [
        "grant_type=client_credentials",
        "client_id=the-app",
        "client_secret=s3cret%26%3D",
        "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
    ] {
        assert!(request.contains(field), "{field} is not in {request}");
    }
}

#[tokio::test]
async fn an_expired_secret_is_distinguished_from_a_wrong_one() {
    let expired = Tenant::start(|world| world.apps[0].secret_expired = true).await;
    let error = ask(&expired).await.expect_err("no expiry");
    assert_eq!(
        (error.kind(), error.aadsts),
        (EntraErrorKind::SecretExpired, Some(7_000_222))
    );
    assert!(error.to_string().contains("must be renewed"), "{error}");

    let mut wrong = Tenant::start(|_| {}).await;
    wrong.world.apps[0].client_secret = "another".into();
    let error = ask(&wrong)
        .await
        .expect_err("a wrong credential was accepted");
    assert_eq!(
        (error.kind(), error.aadsts),
        (EntraErrorKind::SecretWrong, Some(7_000_215))
    );
    assert_eq!(error.error, "invalid_client");
}

#[tokio::test]
async fn an_unknown_app_and_an_unknown_tenant_are_named() {
    let mut tenant = Tenant::start(|_| {}).await;
    tenant.world.apps[0].client_id = Uuid::from_u128(1);
    let error = ask(&tenant).await.expect_err("an unknown app was accepted");
    assert_eq!(error.kind(), EntraErrorKind::AppUnknown, "{error:?}");
    tenant.world.tenant.id = Uuid::from_u128(2);
    let error = ask(&tenant)
        .await
        .expect_err("an unknown tenant was accepted");
    assert_eq!(error.kind(), EntraErrorKind::TenantUnknown, "{error:?}");
}

#[tokio::test]
async fn an_overloaded_endpoint_is_asked_again_but_not_for_ever() {
    let tenant = Tenant::start(|_| {}).await;
    let unavailable = FaultKind::Status {
        code: 503,
        retry_after: Some(0.01),
        body: None,
    };
    tenant.simulators.add_fault(
        tenant.uuid(),
        Fault::once("/token", unavailable.clone()).at(1, 2),
    );
    ask(&tenant).await.expect("the third attempt failed");
    tenant.simulators.add_fault(
        tenant.uuid(),
        Fault::once("/token", unavailable).at(1, u32::MAX),
    );
    let error = ask(&tenant).await.expect_err("no error");
    assert_eq!(error.kind(), EntraErrorKind::Transient);
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let mut tenant = Tenant::start(|_| {}).await;
    tenant.world.apps[0].client_secret = "another".into();
    ask(&tenant)
        .await
        .expect_err("a wrong credential was accepted");
    assert_eq!(tenant.asked("/token").len(), 1);
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_secret_or_a_token() {
    let body = r#"{"token_type":"Bearer","access_token":"half-a-tok"#;
    let stub =
        Stub::start(move |_| -> Act { reply(200, "Content-Type: application/json\r\n", body) })
            .await;
    let error = ask_stub(&stub).await.expect_err("no error");
    let entra = Entra::new(quick(), &stub.url).expect("invalid URL");
    let shown = format!("{error} {error:?} {entra:?}");
    assert!(
        !shown.contains("half-a-tok") && !shown.contains("s3cret"),
        "{shown}"
    );

    let tenant = Tenant::start(|_| {}).await;
    let entra = entra_of(&tenant);
    let token = entra
        .app_token(tenant.id(), &tenant.client_id(), &tenant.secret(), SCOPE)
        .await;
    let token = token.expect("no token");
    let shown = format!("{entra:?} {token:?}");
    assert!(!shown.contains(token.secret().expose()), "{shown}");
}

/// The futures are `Send`, so they can be spawned.
#[tokio::test]
async fn the_calls_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let tenant = Tenant::start(|_| {}).await;
    let entra = entra_of(&tenant);
    let (app, secret) = (tenant.client_id(), tenant.secret());
    is_send(entra.app_token(tenant.id(), &app, &secret, SCOPE))
        .await
        .expect("no token");
}
