//! Interactive sign-in: authorisation code with PKCE, refresh tokens, admin consent.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use rollcall_domain::base::ids::TenantId;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{AccessToken, Entra, EntraError, exchange, not_a_token};
use crate::http::{ApiError, Secret};

/// `OpenID` Connect scopes requested by every sign-in.
const IDENTITY: [&str; 3] = ["openid", "profile", "email"];
/// Requests a refresh token, so that the service stays connected without another sign-in.
const OFFLINE: &str = "offline_access";

/// This service's own multi-tenant app.
#[derive(Debug, Clone)]
pub struct ServiceApp {
    /// Application (client) id.
    pub client_id: String,
    /// Its secret.
    pub secret: Secret,
    /// The redirect URI registered with the app.
    pub redirect_uri: String,
}

/// Values sent with a sign-in and verified on its return. They are derived from the state, which
/// only the browser and Microsoft see, and the app's secret, which only this service has: nothing
/// is stored that would let a reader of the table complete a sign-in.
#[derive(Debug)]
pub struct Proofs {
    verifier: Secret,
    /// Binds the id token to this sign-in.
    pub nonce: Secret,
}

/// The tokens of a sign-in.
#[derive(Debug)]
pub struct Grant {
    /// The access token for Microsoft Graph.
    pub access: AccessToken,
    /// The newest refresh token; the previous one remains valid for a while.
    pub refresh: Option<Secret>,
    /// The id token, not yet verified.
    pub id_token: Option<Secret>,
}

/// Options of a sign-in.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignIn<'a> {
    /// The account to suggest.
    pub login_hint: Option<&'a str>,
    /// True to request consent even if it may have been granted (S1-25).
    pub ask_consent: bool,
    /// True if an account must be chosen even if one is already signed in.
    pub choose_account: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct WithIdToken {
    #[serde(default)]
    id_token: Option<String>,
}

impl ExtraTokenFields for WithIdToken {}

type Tokens = StandardTokenResponse<WithIdToken, BasicTokenType>;
type OidcClient = Client<
    BasicErrorResponse,
    Tokens,
    oauth2::basic::BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl ServiceApp {
    /// Returns the derived values of the sign-in with this state.
    pub fn proofs(&self, state: &str) -> Proofs {
        Proofs {
            verifier: self.derive("pkce", state),
            nonce: self.derive("nonce", state),
        }
    }

    /// Returns 43 characters, as RFC 7636 (section 4.1) requires of a verifier.
    fn derive(&self, purpose: &str, state: &str) -> Secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC accepts keys of any length"));
        mac.update(format!("rollcall {purpose} {state}").as_bytes());
        Secret::new(BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

impl Entra {
    /// Returns the URL at which a user of the tenant signs in. The challenge is S256; the scopes
    /// are those of one resource plus identity.
    pub fn authorize_url(
        &self,
        tenant: TenantId,
        app: &ServiceApp,
        state: &str,
        scopes: &[String],
        how: SignIn<'_>,
    ) -> Result<String, EntraError> {
        let proofs = app.proofs(state);
        let client = self.oidc(tenant, app)?;
        let verifier = PkceCodeVerifier::new(proofs.verifier.expose().to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let mut url = client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", proofs.nonce.expose())
            .add_extra_param("response_mode", "query");
        for scope in requested_scopes(scopes) {
            url = url.add_scope(scope);
        }
        if let Some(login) = how.login_hint {
            url = url.add_extra_param("login_hint", login);
        }
        if how.ask_consent {
            url = url.add_extra_param("prompt", "consent");
        } else if how.choose_account {
            url = url.add_extra_param("prompt", "select_account");
        }
        Ok(url.url().0.to_string())
    }

    /// Returns the URL at which an administrator of the tenant consents to all permissions the app
    /// is registered for.
    pub fn admin_consent_url(
        &self,
        tenant: TenantId,
        app: &ServiceApp,
        state: &str,
        scope: &str,
    ) -> Result<String, EntraError> {
        let base = self.authority.join(&format!("/{tenant}/v2.0/adminconsent"));
        let query = [
            ("client_id", app.client_id.as_str()),
            ("scope", scope),
            ("redirect_uri", &app.redirect_uri),
            ("state", state),
        ];
        let url = url::Url::parse_with_params(&base, query)
            .map_err(|error| EntraError::from(ApiError::Setup(error.to_string())))?;
        Ok(url.into())
    }

    /// Redeems the code of a sign-in at the tenant that issued it. Never retried: if the response
    /// is lost, the code is already used.
    pub async fn redeem(
        &self,
        tenant: TenantId,
        app: &ServiceApp,
        state: &str,
        code: &Secret,
    ) -> Result<Grant, EntraError> {
        let send = |request: HttpRequest| exchange(self.http.clone(), request);
        let verifier = app.proofs(state).verifier;
        let answer: Tokens = self
            .oidc(tenant, app)?
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .request_async(&send)
            .await
            .map_err(unwrap_error)?;
        Ok(granted(answer))
    }

    /// Obtains a new access token, and with it a new refresh token that replaces the previous one.
    pub async fn refresh(
        &self,
        tenant: TenantId,
        app: &ServiceApp,
        refresh: &Secret,
        scopes: &[String],
    ) -> Result<Grant, EntraError> {
        let attempt = || self.refresh_once(tenant, app, refresh, scopes);
        self.http.retry().run(None, attempt).await
    }

    async fn refresh_once(
        &self,
        tenant: TenantId,
        app: &ServiceApp,
        refresh: &Secret,
        scopes: &[String],
    ) -> Result<Grant, EntraError> {
        let send = |request: HttpRequest| exchange(self.http.clone(), request);
        let token = RefreshToken::new(refresh.expose().to_owned());
        let client = self.oidc(tenant, app)?;
        let request = client
            .exchange_refresh_token(&token)
            .add_scopes(requested_scopes(scopes));
        let answer: Tokens = request.request_async(&send).await.map_err(unwrap_error)?;
        Ok(granted(answer))
    }

    fn oidc(&self, tenant: TenantId, app: &ServiceApp) -> Result<OidcClient, EntraError> {
        let setup = |error: url::ParseError| EntraError::from(ApiError::Setup(error.to_string()));
        let at = |what: &str| {
            self.authority
                .join(&format!("/{tenant}/oauth2/v2.0/{what}"))
        };
        Ok(Client::new(ClientId::new(app.client_id.clone()))
            .set_client_secret(ClientSecret::new(app.secret.expose().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_redirect_uri(RedirectUrl::new(app.redirect_uri.clone()).map_err(setup)?)
            .set_auth_uri(AuthUrl::new(at("authorize")).map_err(setup)?)
            .set_token_uri(TokenUrl::new(at("token")).map_err(setup)?))
    }
}

/// Returns the requested scopes: identity, the resource's scopes, and offline access if there is a
/// resource.
fn requested_scopes(scopes: &[String]) -> Vec<Scope> {
    let mut all: Vec<Scope> = IDENTITY.map(|name| Scope::new(name.to_owned())).into();
    if !scopes.is_empty() {
        all.push(Scope::new(OFFLINE.to_owned()));
    }
    all.extend(scopes.iter().cloned().map(Scope::new));
    all
}

fn granted(answer: Tokens) -> Grant {
    let refresh = answer
        .refresh_token()
        .map(|it| Secret::new(it.secret().as_str()));
    let id_token = answer.extra_fields().id_token.clone().map(Secret::new);
    let lifetime = answer.expires_in().unwrap_or_default();
    Grant {
        access: AccessToken::new(
            Secret::new(answer.access_token().secret().as_str()),
            lifetime,
        ),
        refresh,
        id_token,
    }
}

/// Converts the error; as for the app's own token, nothing of a body is stored.
fn unwrap_error(error: RequestTokenError<EntraError, BasicErrorResponse>) -> EntraError {
    match error {
        RequestTokenError::Request(ours) => ours,
        RequestTokenError::Parse(cause, _) => EntraError::from(not_a_token(&cause.to_string())),
        _ => EntraError::from(not_a_token("the response is unusable")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::{Stub, quick, reply};

    fn app() -> ServiceApp {
        ServiceApp {
            client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            secret: Secret::new("our-secret"),
            redirect_uri: "https://api.rollcall.example/oauth/callback".to_owned(),
        }
    }

    fn tenant() -> TenantId {
        TenantId::new(uuid::Uuid::from_u128(9))
    }

    fn query(url: &str) -> std::collections::BTreeMap<String, String> {
        let url = url::Url::parse(url).expect("invalid URL");
        url.query_pairs().into_owned().collect()
    }

    /// Proves S1-08: the user signs in on Microsoft's page, so the service never sees a password.
    #[test]
    fn the_browser_is_sent_with_pkce_nonce_and_state() {
        let entra = Entra::new(quick(), "https://login.example").expect("no client");
        let scopes = ["https://graph.example/Mail.Send".to_owned()];
        let how = SignIn {
            login_hint: Some("ada@contoso.example"),
            ask_consent: true,
            choose_account: true,
        };
        let url = entra
            .authorize_url(tenant(), &app(), "the-state", &scopes, how)
            .expect("invalid URL");
        assert!(url.starts_with(&format!(
            "https://login.example/{}/oauth2/v2.0/authorize?",
            tenant()
        )));
        let query = query(&url);
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["state"], "the-state");
        assert_eq!(query["nonce"], app().proofs("the-state").nonce.expose());
        assert_eq!(query["prompt"], "consent");
        assert_eq!(
            query["scope"],
            "openid profile email offline_access https://graph.example/Mail.Send"
        );
        assert!(!url.contains(app().proofs("the-state").verifier.expose()));
        assert!(!query.contains_key("client_secret"));
    }

    #[test]
    fn each_state_has_proofs_of_its_own_that_need_the_secret() {
        let proofs = |app: &ServiceApp, state| app.proofs(state).verifier.expose().to_owned();
        let mut other = app();
        other.secret = Secret::new("another");
        let all = [
            proofs(&app(), "a"),
            proofs(&app(), "b"),
            proofs(&other, "a"),
            app().proofs("a").nonce.expose().to_owned(),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), 4);
        assert!(all.iter().all(|one| one.len() == 43));
    }

    #[tokio::test]
    async fn a_code_is_redeemed_once_whatever_happens() {
        let stub = Stub::start(|_| reply(503, "", "{}")).await;
        let entra = Entra::new(quick(), &stub.url).expect("no client");
        let failed = entra
            .redeem(tenant(), &app(), "s", &Secret::new("the-code"))
            .await;
        let shown = format!("{:?}", failed.expect_err("no error"));
        assert_eq!(stub.requests().len(), 1);
        assert!(
            !shown.contains("the-code") && !shown.contains("our-secret"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn a_refresh_brings_the_next_token() {
        let body = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"a-2","refresh_token":"r-2","id_token":"i"}"#;
        let stub =
            Stub::start(move |_| reply(200, "Content-Type: application/json\r\n", body)).await;
        let entra = Entra::new(quick(), &stub.url).expect("no client");
        let grant = entra
            .refresh(
                tenant(),
                &app(),
                &Secret::new("r-1"),
                &["x/.default".to_owned()],
            )
            .await;
        let grant = grant.expect("no tokens");
        assert_eq!(grant.refresh.as_ref().map(Secret::expose), Some("r-2"));
        assert_eq!(grant.access.secret().expose(), "a-2");
        let shown = format!("{grant:?}");
        assert!(!shown.contains("a-2") && !shown.contains("r-2"), "{shown}");
    }
}
