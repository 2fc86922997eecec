//! Verifies access tokens: signature first, then audience, times and issuer.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rollcall_clients::entra::SigningKeys;
use rollcall_clients::http::{ApiError, Http, HttpSettings};
use rollcall_domain::ids::TenantId;

use super::claims::Claims;
use super::{AuthError, Caller, Role};
use crate::settings::Settings;

/// Clocks may differ by this much, seconds.
const LEEWAY: u64 = 60;
/// No token of Entra is longer; a longer header is not worth reading.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

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
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Unreadable);
        }
        // `none` is not an algorithm this library knows, so it ends here too.
        let header = decode_header(token).map_err(|_| AuthError::Unreadable)?;
        if header.alg != Algorithm::RS256 {
            return Err(AuthError::Algorithm);
        }
        let id = header.kid.ok_or(AuthError::UnknownKey)?;
        let found = self.keys.key(&id).await.map_err(|error| {
            tracing::error!(%error, "Entra's signing keys cannot be had");
            AuthError::Unavailable
        })?;
        let key = found.ok_or(AuthError::UnknownKey)?;
        let public = DecodingKey::from_rsa_components(&key.modulus, &key.exponent)?;
        let token = decode::<Claims>(token, &public, &self.validation())?;
        let mut caller = token.claims.caller(&self.authority, &key)?;
        // Any tenant's administrator can assign any of our app roles to their own
        // people; operating the service is for one tenant only.
        if self.operators != Some(caller.tenant) {
            caller.roles.remove(&Role::Operator);
        }
        Ok(caller)
    }

    /// What the library checks. The issuer depends on the token's own tenant,
    /// so [`Claims::caller`] checks that.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
        validation
    }
}
