//! Errors of requests to third parties, with messages an administrator can act on.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::Secret;

/// Maximum length of a vendor's error text in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// The error of a request to a third party.
///
/// Paths are stored without the query, and no variant contains a header, so neither `Display` nor
/// `Debug` can expose a credential.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The third party returned an error status.
    #[error("{method} {path} was answered with status {status}{}: {message}", code_suffix(code.as_deref()))]
    Status {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
        /// HTTP status of the response.
        status: u16,
        /// The vendor's error code, if present.
        code: Option<String>,
        /// The vendor's error text, at most 300 characters.
        message: String,
        /// The delay requested by the vendor.
        retry_after: Option<Duration>,
    },
    /// No response: the connection failed or was closed.
    #[error("{method} {path} received no response")]
    Transport {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
        /// The cause, without its URL.
        #[source]
        source: reqwest::Error,
    },
    /// The request timed out.
    #[error("{method} {path} timed out")]
    Timeout {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
    },
    /// Not sent, because the third party did not respond to earlier requests or asked for a pause.
    #[error("the request was not sent: {reason}")]
    Suspended {
        /// The reason, as a clause.
        reason: &'static str,
    },
    /// The response does not match the API contract.
    #[error("the answer to {method} {path} is not {expected}: {detail}")]
    Decode {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
        /// The expected content, as a noun phrase.
        expected: &'static str,
        /// Position and kind of the problem; never the body.
        detail: String,
    },
    /// A next-page link points to another host than the configured one. It is not followed, because
    /// the request would carry the credential.
    #[error(
        "a next-page link points to {found_host} instead of {expected_host}; it was not followed"
    )]
    ForeignLink {
        /// Scheme, host and port of the configured service.
        expected_host: String,
        /// Scheme, host and port of the link.
        found_host: String,
    },
    /// A set was not received completely, so none of it may be used.
    #[error("{set} is incomplete: {expected} rows were announced and {found} arrived")]
    Incomplete {
        /// Name of the set.
        set: &'static str,
        /// Rows announced (or the required minimum).
        expected: u64,
        /// Distinct rows received.
        found: u64,
    },
    /// The pages of a set form a loop, or exceed the maximum number.
    #[error(
        "the pages of {set} do not end: the link to page {page} was followed before or is one too many"
    )]
    EndlessPages {
        /// Name of the set.
        set: &'static str,
        /// Number of the page that was not fetched, starting at 1.
        page: u64,
    },
    /// A row of a set is invalid.
    #[error("row {row} of {set} cannot be read: {problem}")]
    BadRow {
        /// Name of the set.
        set: &'static str,
        /// Position in the set, starting at 1.
        row: u64,
        /// The field and its problem.
        problem: String,
    },
    /// The HTTP client or one of its base URLs is invalid.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}

fn code_suffix(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

impl ApiError {
    /// Returns whether a retry may succeed: 408, 429, 5xx, a timeout, a broken connection.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => is_transient_status(*status),
            Self::Transport { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the request may be repeated later without anybody correcting something: it
    /// was throttled, or it was not sent because the third party does not respond.
    pub fn is_deferral(&self) -> bool {
        matches!(self, Self::Suspended { .. }) || self.status() == Some(429)
    }

    /// Returns whether the credential was rejected (401) or lacks permissions (403).
    pub fn is_auth(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// Returns the delay requested by the third party, if any.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns the HTTP status, if the response had an error status.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns the vendor's error code, if present.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Status { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Returns the vendor's error text; empty if there was no response.
    pub fn message(&self) -> &str {
        match self {
            Self::Status { message, .. } => message,
            _ => "",
        }
    }

    /// Returns the error with any occurrence of the credential in the vendor's text replaced.
    pub(crate) fn hiding(mut self, secret: &Secret) -> Self {
        let secret = secret.expose();
        if let Self::Status { code, message, .. } = &mut self
            && !secret.is_empty()
        {
            for text in code.iter_mut().chain([message]) {
                if text.contains(secret) {
                    *text = text.replace(secret, "(hidden)");
                }
            }
        }
        self
    }

    /// Creates the error of a response with an error status from its body.
    pub(crate) fn from_body(
        method: &'static str,
        path: String,
        status: u16,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let (code, message) = vendor_error(body);
        Self::Status {
            method,
            path,
            status,
            code,
            message,
            retry_after,
        }
    }

    /// Creates the error of a request without a response; the URL is dropped. A timeout while
    /// connecting is a connection failure: then nothing was sent, which is relevant for sending
    /// mail.
    pub(crate) fn from_reqwest(method: &'static str, path: String, source: reqwest::Error) -> Self {
        if source.is_timeout() && !source.is_connect() {
            return Self::Timeout { method, path };
        }
        Self::Transport {
            method,
            path,
            source: source.without_url(),
        }
    }
}

/// Returns whether an HTTP status is transient.
pub(crate) fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// Returns the method's name with a static lifetime, for use in errors.
pub(crate) fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "OTHER",
    }
}

#[derive(Deserialize)]
struct ErrorEnvelope {
    error: ErrorBody,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorBody {
    Object {
        code: Option<String>,
        message: Option<String>,
    },
    Text(String),
}

/// The error response of a SCIM service (RFC 7644, section 3.12).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScimError {
    scim_type: Option<String>,
    detail: String,
}

/// Parses `{"error":{"code","message"}}` (OData) or `{"scimType","detail"}` (SCIM), and otherwise
/// returns the text of the body.
pub(crate) fn vendor_error(body: &[u8]) -> (Option<String>, String) {
    if let Ok(ScimError { scim_type, detail }) = serde_json::from_slice(body) {
        return (scim_type.map(|code| cut(&code)), cut(&detail));
    }
    let (code, message) = match serde_json::from_slice(body) {
        Ok(ErrorEnvelope {
            error: ErrorBody::Object { code, message },
        }) => (code, message),
        Ok(ErrorEnvelope {
            error: ErrorBody::Text(text),
        }) => (None, Some(text)),
        Err(_) => (None, Some(String::from_utf8_lossy(body).into_owned())),
    };
    let message = message
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    (
        code.map(|code| cut(&code)),
        message.map_or_else(|| "no further text".to_owned(), cut),
    )
}

/// Truncates to [`MAX_MESSAGE_CHARS`] characters on one line.
pub(crate) fn cut(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE_CHARS)
        .collect();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, body: &[u8]) -> ApiError {
        ApiError::from_body("GET", "/v1.0/organization".into(), status, None, body)
    }

    #[test]
    fn an_odata_error_becomes_one_sentence() {
        let body = br#"{"error":{"code":"Request_BadRequest","message":"Invalid filter."}}"#;
        assert_eq!(
            status(400, body).to_string(),
            "GET /v1.0/organization was answered with status 400 (Request_BadRequest): Invalid filter."
        );
    }

    #[test]
    fn a_scim_error_becomes_one_sentence() {
        let body = br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"The name is taken."}"#;
        let error = status(409, body);
        assert_eq!(
            (error.code(), error.message()),
            (Some("uniqueness"), "The name is taken.")
        );
    }

    #[test]
    fn a_credential_that_the_vendor_repeats_is_hidden() {
        let error = status(401, b"Invalid token tok-12345 given").hiding(&Secret::new("tok-12345"));
        assert_eq!(error.message(), "Invalid token (hidden) given");
    }

    #[test]
    fn a_page_of_html_is_cut_and_kept_on_one_line() {
        let body = format!("<html>\n{}", "x".repeat(5_000));
        let error = status(502, body.as_bytes());
        assert_eq!(error.message().chars().count(), MAX_MESSAGE_CHARS);
        assert!(!error.message().contains('\n'));
    }

    #[test]
    fn an_empty_body_is_said_to_be_empty() {
        assert_eq!(status(503, b"").message(), "no further text");
    }

    #[test]
    fn only_throttling_server_errors_and_silence_are_transient() {
        let transient = |code| status(code, b"").is_transient();
        assert!([408, 429, 500, 502, 503, 504].into_iter().all(transient));
        assert!(![400, 401, 403, 404, 409].into_iter().any(transient));
        assert!(
            ApiError::Timeout {
                method: "GET",
                path: String::new()
            }
            .is_transient()
        );
        assert!(
            !ApiError::Incomplete {
                set: "Users",
                expected: 2,
                found: 1
            }
            .is_transient()
        );
    }
}
