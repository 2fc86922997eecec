//! The reasons why a caller is rejected, with texts that help the caller and reveal nothing.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::errors::ErrorKind;

use crate::problem::ProblemDetails;

/// The delay after which a caller may retry if Entra does not respond, in seconds.
const RETRY_AFTER: u64 = 30;

/// The reason why a caller was rejected. No variant contains any part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no token.
    #[error("An access token is required in the header Authorization: Bearer <token>.")]
    Missing,
    /// It is not a JSON web token, or a claim is missing or of the wrong type.
    #[error("The access token cannot be read as a signed token of Microsoft Entra.")]
    Unreadable,
    /// It is signed with an algorithm other than RS256.
    #[error("The access token must be signed with RS256.")]
    Algorithm,
    /// Entra publishes no such key.
    #[error("The access token is signed with a key that Microsoft Entra does not publish.")]
    UnknownKey,
    /// The signature is invalid.
    #[error("The signature of the access token is invalid.")]
    Signature,
    /// It has expired.
    #[error("The access token has expired; sign in again.")]
    Expired,
    /// It is not valid yet.
    #[error("The access token is not valid yet; check the clock.")]
    NotYet,
    /// It is for another service.
    #[error("The access token was issued for another service.")]
    Audience,
    /// The issuer is not the tenant that the token names.
    #[error("The issuer of the access token is not the Microsoft Entra tenant it names.")]
    Issuer,
    /// It names no tenant, or one without administrators.
    #[error("The access token names no Microsoft Entra tenant of an organisation.")]
    Tenant,
    /// It does not name the caller.
    #[error("The access token does not identify the user it was issued to.")]
    Object,
    /// It is a version 1 token.
    #[error(
        "The access token must be a version 2.0 token; set requestedAccessTokenVersion to 2 in the app registration."
    )]
    Version,
    /// It belongs to another sign-in than the one it was sent for.
    #[error("The token belongs to another sign-in.")]
    Replayed,
    /// It cannot be verified at the moment.
    #[error(
        "Microsoft Entra does not respond, so the access token cannot be checked now; try again shortly."
    )]
    Unavailable,
    /// The caller signed in, but has no role (S4-005).
    #[error(
        "Your account has not been set up for access to your tenant's Automation Center; ask your tenant administrator to assign you a role."
    )]
    NoRole,
    /// The caller has roles, but none that permits this.
    #[error(
        "Your account has none of the roles that may do this. Owners assign roles; the directory is connected by a Global Administrator, a catalog's account by an admin of that catalog."
    )]
    Forbidden,
}

impl AuthError {
    /// Returns the HTTP status of the response.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Forbidden | Self::NoRole => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// Returns the challenge of a 401 (RFC 6750, section 3); without a token it has no error code.
    const fn challenge(self) -> HeaderValue {
        match self {
            Self::Missing => HeaderValue::from_static("Bearer"),
            _ => HeaderValue::from_static("Bearer error=\"invalid_token\""),
        }
    }
}

impl From<jsonwebtoken::errors::Error> for AuthError {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::InvalidAlgorithm => Self::Algorithm,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYet,
            ErrorKind::InvalidAudience => Self::Audience,
            _ => Self::Unreadable,
        }
    }
}

impl From<AuthError> for ProblemDetails {
    fn from(error: AuthError) -> Self {
        let mut problem = Self::new(error.status(), error.to_string());
        if error == AuthError::NoRole {
            problem = problem.of_kind("no-role");
        }
        if error == AuthError::Unavailable {
            problem.retry_after = Some(RETRY_AFTER);
        }
        problem
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let mut response = ProblemDetails::from(self).into_response();
        if self.status() == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, self.challenge());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_401_challenges() {
        let challenge = |error: AuthError| {
            let headers = error.into_response().headers().clone();
            headers.get(WWW_AUTHENTICATE).cloned()
        };
        assert_eq!(
            challenge(AuthError::Missing),
            Some(HeaderValue::from_static("Bearer"))
        );
        let presented = challenge(AuthError::Expired).expect("challenge missing");
        assert_eq!(presented, "Bearer error=\"invalid_token\"");
        assert_eq!(challenge(AuthError::Forbidden), None);
    }

    #[test]
    fn a_silent_entra_is_no_fault_of_the_caller() {
        let response = AuthError::Unavailable.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "30");
    }
}
