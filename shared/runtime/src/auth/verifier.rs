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

/// A verifier that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Without an audience every token of the tenant would do.
    #[error(
        "ROLLCALL_API_AUDIENCE is missing: the API cannot tell tokens meant for it from others"
    )]
    Audience,
    /// The HTTP client or the authority's address is unusable.
    #[error(transparent)]
    Client(#[from] ApiError),
}

impl Verifier {
    /// The verifier the settings describe.
    ///
    /// # Errors
    /// When the audience is missing or the authority is no address.
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

    /// The caller a token stands for.
    ///
    /// # Errors
    /// Why it stands for nobody, or that Entra's keys cannot be had now.
    pub async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let (claims, key) = verified::<Claims>(&self.keys, token, &self.audience).await?;
        let mut caller = claims.caller(&self.authority, &key)?;
        // Any tenant's administrator can assign any of our app roles to their own
        // people; operating the service is for one tenant only.
        if self.operators != Some(caller.tenant) {
            caller.roles.remove(&Role::Operator);
        }
        Ok(caller)
    }
}
