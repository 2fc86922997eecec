//! Verifies access tokens: signature first, then audience, times and issuer.

use std::time::Duration;

use rollcall_clients::entra::SigningKeys;
use rollcall_clients::http::{ApiError, Http, HttpSettings};
use rollcall_domain::base::ids::TenantId;

use super::claims::Claims;
use super::signature::verified;
use super::{AuthError, Caller, Role};
use crate::settings::Settings;

/// Verifies tokens against the keys of one cloud. Clones share the keys.
#[derive(Debug, Clone)]
pub struct Verifier {
    authority: String,
    audience: String,
    operators: Option<TenantId>,
    keys: SigningKeys,
}

/// The reason why a verifier cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The audience is missing; without it every token of the tenant would be accepted.
    #[error(
        "ROLLCALL_API_AUDIENCE is missing: the API cannot recognize tokens issued for other services"
    )]
    Audience,
    /// The HTTP client or the authority's address is unusable.
    #[error(transparent)]
    Client(#[from] ApiError),
}

impl Verifier {
    /// Returns the verifier that the settings describe.
    ///
    /// # Errors
    /// Returns an error if the audience is missing or the authority is not a valid address.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let audience = settings.api_audience.clone().ok_or(SetupError::Audience)?;
        let http = Http::new(HttpSettings {
            connect_timeout: Duration::from_secs(2),
            ..HttpSettings::default()
        })?;
        Ok(Self {
            keys: SigningKeys::new(http, &settings.entra_url)?,
            authority: settings.entra_url.clone(),
            audience,
            operators: settings.operator_tenant,
        })
    }

    /// Returns the caller that a token identifies.
    ///
    /// # Errors
    /// Returns the reason why the token is invalid, or [`AuthError::Unavailable`] if Entra's keys
    /// cannot be read.
    pub async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let (claims, key) = verified::<Claims>(&self.keys, token, &self.audience).await?;
        let mut caller = claims.caller(&self.authority, &key)?;
        // An administrator of any tenant can assign any of the app's roles to users of that tenant,
        // but only one tenant operates the service.
        if self.operators != Some(caller.tenant) {
            caller.roles.remove(&Role::Operator);
        }
        Ok(caller)
    }
}
