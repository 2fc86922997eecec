//! Requests app-only access tokens of Microsoft Entra (client credentials) and caches them.

mod cache;
mod error;
mod grant;
mod jwks;
mod roles;
mod sign_in;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope,
    TokenResponse, TokenUrl,
};
use rollcall_domain::base::ids::TenantId;
use tokio::time::Instant;

use crate::http::{ApiError, Base, Http, Secret};
pub use cache::AccessToken;
use cache::{Cache, Key};
pub use error::{EntraError, EntraErrorKind};
pub use grant::{Grant, Proofs, ServiceApp, SignIn};
pub use jwks::{SigningKey, SigningKeys};
pub(crate) use roles::roles_named_in;
pub(crate) use sign_in::{misshapen, refused};

/// The token endpoint of one cloud (<https://login.microsoftonline.com> or a national cloud).
#[derive(Debug, Clone)]
pub struct Entra {
    http: Http,
    authority: Base,
    cache: Cache,
}

impl Entra {
    /// Creates a client for the given authority, such as `https://login.microsoftonline.com`.
    ///
    /// Clones share the token cache: Entra rejects apps that repeatedly request the same token
    /// (AADSTS50196), so use one client per process.
    pub fn new(http: Http, authority_url: &str) -> Result<Self, ApiError> {
        Ok(Self {
            http,
            authority: Base::parse(authority_url)?,
            cache: Cache::default(),
        })
    }

    /// Returns the app's own token for a tenant; `scope` is the resource with `/.default`.
    ///
    /// Returns a cached token if it is valid for at least five more minutes. Concurrent callers cause
    /// one request and share its result. Transient failures are retried like those of any other
    /// request.
    pub async fn app_token(
        &self,
        tenant: TenantId,
        client_id: &str,
        secret: &Secret,
        scope: &str,
    ) -> Result<AccessToken, EntraError> {
        let key = Key::new(tenant, client_id, secret, scope);
        if let Some(token) = self.cache.get(&key) {
            return Ok(token);
        }
        let flight = self.cache.flight(&key);
        let request = || self.new_token(tenant, client_id, secret, scope, None);
        let result = flight.get_or_init(request).await.clone();
        self.cache.land(&key, &flight);
        result
    }

    /// Requests a new token and caches it: it reflects permissions an administrator has just
    /// granted, revoked or renewed.
    pub(crate) async fn new_token(
        &self,
        tenant: TenantId,
        client_id: &str,
        secret: &Secret,
        scope: &str,
        deadline: Option<Instant>,
    ) -> Result<AccessToken, EntraError> {
        let attempt = || self.fetch(tenant, client_id, secret, scope);
        let token = self.http.retry().run(deadline, attempt).await?;
        let key = Key::new(tenant, client_id, secret, scope);
        self.cache.put(key, token.clone());
        Ok(token)
    }

    /// Removes a token that was rejected by a resource from the cache, unless it was already
    /// replaced by a newer one, so that the next [`Entra::app_token`] requests a new one.
    pub fn forget(
        &self,
        tenant: TenantId,
        client_id: &str,
        secret: &Secret,
        scope: &str,
        refused: &AccessToken,
    ) {
        self.cache
            .forget(&Key::new(tenant, client_id, secret, scope), refused);
    }

    async fn fetch(
        &self,
        tenant: TenantId,
        client_id: &str,
        secret: &Secret,
        scope: &str,
    ) -> Result<AccessToken, EntraError> {
        let endpoint = self.authority.join(&format!("/{tenant}/oauth2/v2.0/token"));
        let endpoint = TokenUrl::new(endpoint)
            .map_err(|error| EntraError::from(ApiError::Setup(error.to_string())))?;
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_client_secret(ClientSecret::new(secret.expose().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(endpoint);
        // The client is cloned, because the compiler cannot prove a future that borrows it `Send`.
        let send = |request: HttpRequest| exchange(self.http.clone(), request);
        let answer: BasicTokenResponse = client
            .exchange_client_credentials()
            .add_scope(Scope::new(scope.to_owned()))
            .request_async(&send)
            .await
            .map_err(unwrap_error)?;
        Ok(AccessToken::new(
            Secret::new(answer.access_token().secret().as_str()),
            answer.expires_in().unwrap_or_default(),
        ))
    }
}

/// Sends the `oauth2` crate's request with our HTTP client. An error status is converted here,
/// because that crate would drop Entra's `error_codes` and the `Retry-After` header.
async fn exchange(http: Http, request: HttpRequest) -> Result<HttpResponse, EntraError> {
    let (head, body) = request.into_parts();
    let url = head.uri.to_string();
    let request = http
        .request(head.method, &url)
        .headers(head.headers)
        .body(body);
    let answer = http.send(request).await?;
    if answer.status != 200 {
        return Err(EntraError::from_answer(answer));
    }
    let mut response = HttpResponse::new(answer.body);
    *response.headers_mut() = answer.headers;
    Ok(response)
}

/// Returns our error unchanged and converts the crate's errors (a success without a token). Their
/// variants quote the body, which may contain a token, so nothing of it is stored.
fn unwrap_error(
    error: RequestTokenError<EntraError, oauth2::basic::BasicErrorResponse>,
) -> EntraError {
    match error {
        RequestTokenError::Request(ours) => ours,
        RequestTokenError::Parse(cause, _) => EntraError::from(not_a_token(&cause.to_string())),
        _ => EntraError::from(not_a_token("the response is unusable")),
    }
}

fn not_a_token(detail: &str) -> ApiError {
    ApiError::Decode {
        method: "POST",
        path: "/oauth2/v2.0/token".into(),
        expected: "an access token",
        detail: crate::http::cut(detail),
    }
}

#[cfg(test)]
mod tests;
