//! Why a caller is not let in, in words that help and give nothing away.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::errors::ErrorKind;

use crate::problem::ProblemDetails;

/// Seconds after which a caller may try again when Entra does not answer.
const RETRY_AFTER: u64 = 30;

/// A caller that was not let in. No variant holds any part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no token.
    #[error("This needs an access token in the header Authorization: Bearer <token>.")]
    Missing,
    /// It is no JSON web token, or a claim is missing or of the wrong type.
    #[error("The access token cannot be read as a signed token of Microsoft Entra.")]
    Unreadable,
    /// It is signed with something other than RS256.
    #[error("The access token must be signed with RS256.")]
    Algorithm,
    /// Entra publishes no such key.
    #[error("The access token is signed with a key that Microsoft Entra does not publish.")]
    UnknownKey,
    /// The signature does not fit.
    #[error("The signature of the access token is not right.")]
    Signature,
    /// Its time is over.
    #[error("The access token has expired; sign in again.")]
    Expired,
    /// Its time has not come.
    #[error("The access token is not valid yet; check the clock.")]
    NotYet,
    /// It is for another service.
    #[error("The access token was issued for another service.")]
    Audience,
    /// It was issued by somebody else than the tenant it names.
    #[error("The issuer of the access token is not the Microsoft Entra tenant it names.")]
    Issuer,
    /// It names no tenant, or one nobody administers.
    #[error("The access token names no Microsoft Entra tenant of an organisation.")]
    Tenant,
    /// It does not say who the caller is.
    #[error("The access token does not say whom it was issued to.")]
    Object,
    /// It is a version 1 token.
    #[error(
        "The access token must be a version 2.0 token; set requestedAccessTokenVersion to 2 in the app registration."
    )]
    Version,
    /// It belongs to another sign-in than the one it was brought for.
    #[error("The token belongs to another sign-in.")]
    Replayed,
    /// It cannot be checked now.
    #[error(
        "Microsoft Entra does not answer, so the access token cannot be checked now; try again shortly."
    )]
    Unavailable,
    /// The caller signed in, but nobody gave them a role (S4-005).
    #[error(
        "Your account has not been set up for access to your tenant's Automation Center; ask your tenant administrator to assign you a role."
    )]
    NoRole,
    /// The caller is known but has none of the roles that may do this.
    #[error(
        "Your account has none of the roles that may do this. Owners assign roles; the directory is connected by a Global Administrator, a catalog's account by an admin of that catalog."
    )]
    Forbidden,
}

impl AuthError {
    /// The HTTP status it is answered with.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Forbidden | Self::NoRole => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The challenge of a 401 (RFC 6750, section 3): no error code where
    /// nothing was presented.
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
        let presented = challenge(AuthError::Expired).expect("a challenge");
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
