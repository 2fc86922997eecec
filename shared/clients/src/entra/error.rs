//! Classifies Entra's token errors by the action that they require.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rollcall_domain::connection::Cause;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Retryable, is_transient_status};

/// The kind of a token error, by the action that it requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntraErrorKind {
    /// The client secret has expired: operators must renew it; it affects every tenant of the app.
    SecretExpired,
    /// The client secret is wrong.
    SecretWrong,
    /// The app is unknown or disabled in that tenant: not onboarded (any longer).
    AppUnknown,
    /// The tenant does not exist in this cloud.
    TenantUnknown,
    /// An administrator has not granted consent, or has withdrawn it.
    ConsentMissing,
    /// Entra is temporarily unavailable.
    Transient,
    /// Any other cause.
    Other,
}

/// The error of a rejected or failed token request. Clones are for callers that waited for the
/// same request.
#[derive(Debug, Clone)]
pub struct EntraError {
    /// The OAuth error code (RFC 6749, section 5.2), or `no_answer` if there was no response.
    pub error: String,
    /// Entra's own error number (`AADSTS…`), if present. It refines the kind and helps support;
    /// Microsoft does not guarantee that the numbers are stable.
    pub aadsts: Option<u32>,
    suberror: Option<String>,
    kind: EntraErrorKind,
    retry_after: Option<Duration>,
    source: Option<Arc<ApiError>>,
}

#[derive(Deserialize, Default)]
struct ErrorAnswer {
    #[serde(default)]
    error: String,
    #[serde(default)]
    suberror: Option<String>,
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl EntraError {
    /// Returns the kind of the error.
    pub fn kind(&self) -> EntraErrorKind {
        self.kind
    }

    /// Returns whether Entra explicitly rejected the request, as opposed to an unreadable response.
    pub(super) fn is_refusal(&self) -> bool {
        self.source.is_none()
    }

    /// Returns the cause, which determines the state of the connection. No response is transient.
    pub fn cause(&self) -> Cause {
        if self.kind == EntraErrorKind::Transient || self.source.is_some() {
            return Cause::Transient;
        }
        Cause::from_oauth_error(&self.error, self.suberror.as_deref(), self.aadsts)
    }

    /// Returns Entra's error number in its searchable form, else the OAuth error.
    pub fn code(&self) -> String {
        match self.aadsts {
            Some(number) => format!("AADSTS{number}"),
            None => self.error.clone(),
        }
    }

    /// Returns the codes for search or support, such as `invalid_client, AADSTS7000215`.
    pub fn codes(&self) -> String {
        match self.aadsts {
            Some(number) => format!("{}, AADSTS{number}", self.error),
            None => self.error.clone(),
        }
    }

    /// Returns the delay requested by Entra, if any.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Creates the error from a response with an error status. Only the codes of the body are
    /// stored: its description contains ids and changes with every release.
    pub(super) fn from_answer(answer: Answer) -> Self {
        let body: ErrorAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
        let aadsts = body.error_codes.first().copied();
        if body.error.is_empty() {
            let wait = answer.retry_after();
            let (method, status) = (answer.method, answer.status);
            return ApiError::from_body(method, answer.path, status, wait, &answer.body).into();
        }
        let kind = if is_transient_status(answer.status) {
            EntraErrorKind::Transient
        } else {
            classify(&body.error, aadsts)
        };
        Self {
            error: body.error,
            aadsts,
            suberror: body.suberror,
            kind,
            retry_after: answer.retry_after(),
            source: None,
        }
    }
}

impl Retryable for EntraError {
    fn is_transient(&self) -> bool {
        self.kind == EntraErrorKind::Transient
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<ApiError> for EntraError {
    fn from(source: ApiError) -> Self {
        let kind = if source.is_transient() {
            EntraErrorKind::Transient
        } else {
            EntraErrorKind::Other
        };
        let retry_after = source.retry_after();
        let error = "no_answer".into();
        Self {
            error,
            aadsts: None,
            suberror: None,
            kind,
            retry_after,
            source: Some(Arc::new(source)),
        }
    }
}

/// Classifies by number if one OAuth code has several causes, and by code if the number is unknown.
fn classify(error: &str, aadsts: Option<u32>) -> EntraErrorKind {
    use EntraErrorKind as Kind;
    match (error, aadsts) {
        (_, Some(7_000_222)) => Kind::SecretExpired,
        (_, Some(7_000_215)) => Kind::SecretWrong,
        (_, Some(700_016 | 7_000_229 | 7_000_112 | 70_001)) => Kind::AppUnknown,
        // Includes wrong-cloud errors: the tenant is in another cloud.
        (_, Some(90_002 | 90_038 | 900_382 | 900_432 | 900_439)) => Kind::TenantUnknown,
        (_, Some(65_001 | 90_094 | 90_095)) => Kind::ConsentMissing,
        (_, Some(90_033 | 90_006 | 90_024 | 50_033 | 50_087 | 90_090 | 90_055)) => Kind::Transient,
        (code, _) => classify_code(code),
    }
}

fn classify_code(error: &str) -> EntraErrorKind {
    match error {
        "temporarily_unavailable" => EntraErrorKind::Transient,
        "consent_required" => EntraErrorKind::ConsentMissing,
        "unauthorized_client" => EntraErrorKind::AppUnknown,
        "invalid_client" => EntraErrorKind::SecretWrong,
        _ => EntraErrorKind::Other,
    }
}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            EntraErrorKind::SecretExpired => {
                "the client secret of the app has expired in Microsoft Entra and must be renewed"
            }
            EntraErrorKind::SecretWrong => "Microsoft Entra does not accept the app's client secret",
            EntraErrorKind::AppUnknown => {
                "the app is not known or not enabled in this Microsoft Entra tenant; an administrator must connect it again"
            }
            EntraErrorKind::TenantUnknown => "the tenant does not exist in this Microsoft cloud",
            EntraErrorKind::ConsentMissing => {
                "an administrator of the Microsoft Entra tenant has not consented to the app, or has withdrawn consent"
            }
            EntraErrorKind::Transient => "Microsoft Entra cannot issue a token at the moment",
            EntraErrorKind::Other => "Microsoft Entra refused to issue a token",
        })?;
        write!(f, " ({})", self.codes())
    }
}

impl std::error::Error for EntraError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| -> &(dyn std::error::Error + 'static) { source.as_ref() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_cause_has_its_kind() {
        use EntraErrorKind as Kind;
        for (error, number, kind) in [
            ("invalid_client", Some(7_000_222), Kind::SecretExpired),
            ("invalid_client", Some(7_000_215), Kind::SecretWrong),
            ("invalid_client", Some(7_000_229), Kind::AppUnknown),
            ("unauthorized_client", Some(700_016), Kind::AppUnknown),
            ("invalid_request", Some(90_002), Kind::TenantUnknown),
            ("invalid_request", Some(900_439), Kind::TenantUnknown),
            ("invalid_grant", Some(65_001), Kind::ConsentMissing),
            ("temporarily_unavailable", None, Kind::Transient),
            ("invalid_client", Some(999_999_999), Kind::SecretWrong),
            ("invalid_request", None, Kind::Other),
        ] {
            assert_eq!(classify(error, number), kind, "{error} {number:?}");
        }
    }
}
