//! Verifies a token signed by Microsoft Entra: algorithm, key, signature, audience and times.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rollcall_clients::entra::{SigningKey, SigningKeys};
use serde::de::DeserializeOwned;

use super::AuthError;

/// The tolerated difference between clocks, in seconds.
const LEEWAY: u64 = 60;
/// The maximum size of a token; Entra issues no longer ones, so longer headers are not parsed.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Returns the claims of a token for this audience, and the key that signed it: whether that key
/// may sign for the issuer depends on the claims.
///
/// # Errors
/// Returns the reason why the token is invalid, or [`AuthError::Unavailable`] if Entra's keys
/// cannot be read.
pub(super) async fn verified<T: DeserializeOwned>(
    keys: &SigningKeys,
    token: &str,
    audience: &str,
) -> Result<(T, SigningKey), AuthError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(AuthError::Unreadable);
    }
    // The library does not accept the algorithm `none`, so such a token is rejected here, too.
    let header = decode_header(token).map_err(|_| AuthError::Unreadable)?;
    if header.alg != Algorithm::RS256 {
        return Err(AuthError::Algorithm);
    }
    let id = header.kid.ok_or(AuthError::UnknownKey)?;
    let found = keys.key(&id).await.map_err(|error| {
        tracing::error!(%error, "Entra's signing keys could not be read");
        AuthError::Unavailable
    })?;
    let key = found.ok_or(AuthError::UnknownKey)?;
    let public = DecodingKey::from_rsa_components(&key.modulus, &key.exponent)?;
    let token = decode::<T>(token, &public, &validation(audience))?;
    Ok((token.claims, key))
}

/// Returns the checks of the library. The issuer depends on the token's own tenant, so the caller
/// checks it with the claims.
fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
    validation
}
