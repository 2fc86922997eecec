//! Authentication: all ways in which a token can be invalid, and the access of each role.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use rollcall_domain::base::ids::TenantId;
use rollcall_runtime::auth::{AuthError, SetupError};
use rollcall_simulators::{TokenFlaw, UserTokenSpec};
use serde_json::{Value, json};
use uuid::Uuid;

use super::site::{Answer, Site, call};

const PATH: &str = "/v1/tenant";

fn somebody() -> TenantId {
    TenantId::new(Uuid::new_v4())
}

/// Asserts a 401 with the cause's text and a challenge, without the token.
fn assert_refused(answer: &Answer, why: AuthError, token: &str) {
    assert_eq!(
        (answer.status, answer.detail()),
        (401, why.to_string().as_str())
    );
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer error=\"invalid_token\""
    );
    let shown = format!("{:?} {}", answer.headers, answer.body);
    for part in token.split('.').filter(|part| !part.is_empty()) {
        assert!(!shown.contains(part), "{shown}");
    }
}

async fn assert_flaw(site: &Site, spec: &UserTokenSpec, why: AuthError) {
    let token = site.token(spec);
    assert_refused(&present(&site.api, &token).await, why, &token);
}

async fn present(api: &Router, token: &str) -> Answer {
    let request = Request::get(PATH).header("authorization", format!("Bearer {token}"));
    call(api, request.body(Body::empty()).expect("invalid request")).await
}

#[tokio::test]
async fn without_a_token_no_one_is_let_in() {
    let site = Site::start().await;
    let answer = site.get_as_nobody(PATH).await;
    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (401, "Bearer")
    );
    assert_eq!(answer.detail(), AuthError::Missing.to_string());
    assert_eq!(
        site.simulators.key_fetches(),
        0,
        "the signing keys were fetched"
    );
    for nonsense in ["x", "a.b.c", "eyJhbGciOiJSUzI1NiJ9..", &"x".repeat(20_000)] {
        assert_eq!(present(&site.api, nonsense).await.status, 401, "{nonsense}");
    }
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let site = Site::start().await;
    let good = Site::owner(site.tenant().await);
    assert_eq!(site.get(PATH, &good).await.status, 200);
    for (flaw, why) in [
        (TokenFlaw::WrongKey, AuthError::Signature),
        (TokenFlaw::UnknownKey, AuthError::UnknownKey),
        (TokenFlaw::Unsigned, AuthError::Unreadable),
        (TokenFlaw::HmacWithPublicKey, AuthError::Algorithm),
        (TokenFlaw::OtherAlgorithm, AuthError::Algorithm),
    ] {
        assert_flaw(&site, &good.clone().flaw(flaw), why).await;
    }
}

#[tokio::test]
async fn changed_claims_break_the_signature() {
    let site = Site::start().await;
    let (own, other) = (site.tenant().await, site.tenant().await);
    let (mine, theirs) = (
        site.token(&Site::owner(own)),
        site.token(&Site::owner(other)),
    );
    let (mine, theirs): (Vec<_>, Vec<_>) = (mine.split('.').collect(), theirs.split('.').collect());
    let mixed = [mine[0], theirs[1], mine[2]].join(".");
    assert_refused(
        &present(&site.api, &mixed).await,
        AuthError::Signature,
        &mixed,
    );
}

#[tokio::test]
async fn a_token_for_another_service_is_refused() {
    let site = Site::start().await;
    let good = Site::owner(somebody());
    for audience in [
        "https://graph.microsoft.com",
        "",
        "api://rollcall.example/",
        "API://rollcall.example",
    ] {
        let spec = UserTokenSpec {
            audience: audience.to_owned(),
            ..good.clone()
        };
        assert_flaw(&site, &spec, AuthError::Audience).await;
    }
    let many = TokenFlaw::Claim("aud".to_owned(), json!(["https://graph.microsoft.com"]));
    assert_flaw(&site, &good.flaw(many), AuthError::Audience).await;
}

#[tokio::test]
async fn issuer_and_tenant_must_be_one() {
    let site = Site::start().await;
    let (tenant, entra) = (somebody(), site.simulators.entra_url());
    let good = Site::owner(tenant);
    for issuer in [
        format!("{entra}/{}/v2.0", somebody()),
        format!("{entra}/{tenant}/"),
        format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        format!("{entra}.evil.example/{tenant}/v2.0"),
    ] {
        assert_flaw(
            &site,
            &good.clone().flaw(TokenFlaw::Issuer(issuer)),
            AuthError::Issuer,
        )
        .await;
    }
    let claim =
        |name: &str, value: Value| good.clone().flaw(TokenFlaw::Claim(name.to_owned(), value));
    assert_flaw(
        &site,
        &claim("tid", json!(Uuid::new_v4())),
        AuthError::Issuer,
    )
    .await;
    assert_flaw(&site, &claim("tid", json!("common")), AuthError::Tenant).await;
    assert_flaw(&site, &claim("tid", Value::Null), AuthError::Unreadable).await;
    assert_flaw(&site, &claim("oid", json!("me")), AuthError::Object).await;
    assert_flaw(&site, &claim("ver", json!("1.0")), AuthError::Version).await;
    assert_flaw(
        &site,
        &claim("roles", json!("Owner")),
        AuthError::Unreadable,
    )
    .await;
}

#[tokio::test]
async fn times_count_with_a_minute_of_leeway() {
    let site = Site::start().await;
    let good = Site::owner(site.tenant().await);
    let timed = |valid_in_s, expires_in_s| UserTokenSpec {
        valid_in_s,
        expires_in_s,
        ..good.clone()
    };
    assert_flaw(&site, &timed(-3_600, -70), AuthError::Expired).await;
    assert_flaw(&site, &timed(70, 3_600), AuthError::NotYet).await;
    assert_eq!(site.get(PATH, &timed(-3_600, -50)).await.status, 200);
    assert_eq!(site.get(PATH, &timed(50, 3_600)).await.status, 200);
    for name in ["exp", "nbf"] {
        let without = TokenFlaw::Claim(name.to_owned(), Value::Null);
        assert_flaw(&site, &good.clone().flaw(without), AuthError::Unreadable).await;
    }
}

#[tokio::test]
async fn a_flood_of_invented_keys_fetches_the_keys_once() {
    let site = Site::start().await;
    let good = Site::owner(site.tenant().await);
    let forged = site.token(&good.clone().flaw(TokenFlaw::UnknownKey));
    let flood = (0..50).map(|_| present(&site.api, &forged));
    for answer in futures::future::join_all(flood).await {
        assert_refused(&answer, AuthError::UnknownKey, &forged);
    }
    assert_eq!(site.get(PATH, &good).await.status, 200);
    assert_eq!(present(&site.api, &forged).await.status, 401);
    assert_eq!(site.simulators.key_fetches(), 1);
}

#[tokio::test]
async fn a_silent_entra_is_distinguished_from_a_wrong_token() {
    let site = Site::with(|variables| {
        let nobody = "http://127.0.0.1:1".to_owned();
        variables.insert("ROLLCALL_ENTRA_AUTHORITY_URL".to_owned(), nobody);
    })
    .await;
    let answer = site.get(PATH, &Site::owner(somebody())).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "30"));
    assert_eq!(answer.detail(), AuthError::Unavailable.to_string());
}

#[tokio::test]
async fn every_role_may_read_the_status_and_no_one_else() {
    let site = Site::start().await;
    let tenant = site.tenant().await;
    let with = |roles: &[&str]| Site::owner(tenant).roles(roles);
    for role in [
        "Owner",
        "SuperAdmin",
        "ItAdmin",
        "LmsAdmin",
        "CatalogAdmin",
        "GlobalAdmin",
    ] {
        assert_eq!(site.get(PATH, &with(&[role])).await.status, 200, "{role}");
    }
    // Operators have no role if the deployment has no operator tenant.
    for roles in [&[][..], &["owner"], &["Reader", "Learner"], &["Operator"]] {
        let answer = site.get(PATH, &with(roles)).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (403, "")
        );
        assert_eq!(answer.detail(), AuthError::NoRole.to_string());
    }
    let global = "62e90394-69f5-4237-9190-012177145e10"
        .parse()
        .expect("invalid GUID");
    let administrator = UserTokenSpec {
        wids: vec![global],
        ..with(&[])
    };
    assert_eq!(site.get(PATH, &administrator).await.status, 200);
}

#[tokio::test]
async fn a_caller_sees_the_tenant_of_the_token_and_no_other() {
    let site = Site::start().await;
    let (one, two, stranger) = (site.tenant().await, site.tenant().await, somebody());
    for (own, other) in [(one, two), (two, one)] {
        let path = format!("{PATH}?tenant={other}&tid={other}");
        let token = site.token(&Site::owner(own));
        let request = Request::get(path)
            .header("authorization", format!("Bearer {token}"))
            .header("x-tenant-id", other.to_string());
        let answer = call(
            &site.api,
            request.body(Body::empty()).expect("invalid request"),
        )
        .await;
        assert_eq!((answer.status, &answer.body["tenant"]), (200, &json!(own)));
        assert!(!answer.body.to_string().contains(&other.to_string()));
    }
    assert_eq!(site.get(PATH, &Site::owner(stranger)).await.status, 404);
}

#[tokio::test]
async fn without_an_audience_there_is_no_api() {
    let site = Site::start().await;
    let mut services = site.services.clone();
    services.settings.api_audience = None;
    let refused = rollcall_profile_api::router(services);
    assert!(matches!(refused, Err(SetupError::Audience)));
}
