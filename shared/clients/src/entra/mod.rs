//! App-only access tokens of Microsoft Entra (client credentials), cached until shortly before they expire.

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

/// The token endpoint of one cloud (<https://login.microsoftonline.com> and its national siblings).
#[derive(Debug, Clone)]
pub struct Entra {
    http: Http,
    authority: Base,
    cache: Cache,
}

impl Entra {
    /// A client of the given authority, such as `https://login.microsoftonline.com`.
    ///
    /// Clones share the token cache: Entra refuses apps that ask for the same
    /// token again and again (AADSTS50196), so keep one for the process.
    pub fn new(http: Http, authority_url: &str) -> Result<Self, ApiError> {
        Ok(Self {
            http,
            authority: Base::parse(authority_url)?,
            cache: Cache::default(),
        })
    }

    /// The app's own token for a tenant; `scope` is the resource with `/.default`.
    ///
    /// Comes from memory while it is good for another five minutes. Transient
    /// failures are repeated like any other request.
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
        self.new_token(tenant, client_id, secret, scope, None).await
    }

    /// A token that was made now, and that later calls get from memory: what
    /// an administrator just granted, took back or renewed shows in it.
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

    /// Drops a token that a resource refused, unless a newer one took its place
    /// meanwhile, so that the next [`Entra::app_token`] asks again.
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
        // An owned client, because a future that borrows one cannot be proved `Send` through that crate.
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

/// Carries the `oauth2` crate's request over our client. An error status
/// becomes our error right here, because that crate would drop Entra's
/// `error_codes` and the `Retry-After` header.
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

/// Ours as it is; theirs (a success that holds no token) in our words. Their
/// variants quote the body, which may hold a token, so nothing of it is kept.
fn unwrap_error(
    error: RequestTokenError<EntraError, oauth2::basic::BasicErrorResponse>,
) -> EntraError {
    match error {
        RequestTokenError::Request(ours) => ours,
        RequestTokenError::Parse(cause, _) => EntraError::from(not_a_token(&cause.to_string())),
        _ => EntraError::from(not_a_token("the answer could not be used")),
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
