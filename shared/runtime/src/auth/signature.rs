//! Reads a token that Microsoft Entra signed: algorithm, key, signature, audience and times.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rollcall_clients::entra::{SigningKey, SigningKeys};
use serde::de::DeserializeOwned;

use super::AuthError;

/// Clocks may differ by this much, seconds.
const LEEWAY: u64 = 60;
/// No token of Entra is longer; a longer header is not worth reading.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The claims of a token for this audience, with the key that signed it: whether
/// that key may sign for the issuer depends on the claims.
///
/// # Errors
/// Why the token is not good, or that Entra's keys cannot be had now.
pub(super) async fn verified<T: DeserializeOwned>(
    keys: &SigningKeys,
    token: &str,
    audience: &str,
) -> Result<(T, SigningKey), AuthError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(AuthError::Unreadable);
    }
    // `none` is not an algorithm this library knows, so it ends here too.
    let header = decode_header(token).map_err(|_| AuthError::Unreadable)?;
    if header.alg != Algorithm::RS256 {
        return Err(AuthError::Algorithm);
    }
    let id = header.kid.ok_or(AuthError::UnknownKey)?;
    let found = keys.key(&id).await.map_err(|error| {
        tracing::error!(%error, "Entra's signing keys cannot be had");
        AuthError::Unavailable
    })?;
    let key = found.ok_or(AuthError::UnknownKey)?;
    let public = DecodingKey::from_rsa_components(&key.modulus, &key.exponent)?;
    let token = decode::<T>(token, &public, &validation(audience))?;
    Ok((token.claims, key))
}

/// What the library checks. The issuer depends on the token's own tenant, so
/// whoever reads the claims checks that.
fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
    validation
}
