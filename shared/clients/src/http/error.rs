//! What can go wrong when a third party is asked something, in sentences an administrator can act on.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::Secret;

/// Longest part of a vendor's error text that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// A failed exchange with a third party.
///
/// Paths carry no query; no variant holds a header, so neither `Display` nor
/// `Debug` can show a credential.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The third party answered with an error status.
    #[error("{method} {path} was answered with status {status}{}: {message}", code_suffix(code.as_deref()))]
    Status {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
        /// HTTP status of the answer.
        status: u16,
        /// The vendor's error code, if the body had one.
        code: Option<String>,
        /// The vendor's text, at most 300 characters.
        message: String,
        /// How long the vendor asked to wait.
        retry_after: Option<Duration>,
    },
    /// No answer came: the connection could not be made or broke.
    #[error("{method} {path} got no answer")]
    Transport {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
        /// The cause, without its URL.
        #[source]
        source: reqwest::Error,
    },
    /// No answer came in time.
    #[error("{method} {path} was not answered in time")]
    Timeout {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
    },
    /// The answer was not what the contract says.
    #[error("the answer to {method} {path} is not {expected}: {detail}")]
    Decode {
        /// HTTP method of the request.
        method: &'static str,
        /// Path of the request, without its query.
        path: String,
        /// What was expected, as a noun phrase.
        expected: &'static str,
        /// Where it went wrong; never the body.
        detail: String,
    },
    /// A next-page link points to another host than the configured one. No
    /// request was sent there, since it would have carried the credential.
    #[error(
        "a next-page link points to {found_host} instead of {expected_host}; it was not followed"
    )]
    ForeignLink {
        /// Scheme, host and port of the configured service.
        expected_host: String,
        /// Scheme, host and port of the link.
        found_host: String,
    },
    /// A set did not arrive whole, so nothing of it may be used.
    #[error("{set} is incomplete: {expected} rows were announced and {found} arrived")]
    Incomplete {
        /// Name of the set.
        set: &'static str,
        /// Rows announced (or the least that must be there).
        expected: u64,
        /// Different rows that arrived.
        found: u64,
    },
    /// The pages of a set lead back to one another, or there are absurdly many.
    #[error(
        "the pages of {set} do not end: the link to page {page} was followed before or is one too many"
    )]
    EndlessPages {
        /// Name of the set.
        set: &'static str,
        /// Number of the page that was not fetched, from 1.
        page: u64,
    },
    /// A row of a set cannot be understood.
    #[error("row {row} of {set} cannot be read: {problem}")]
    BadRow {
        /// Name of the set.
        set: &'static str,
        /// Position in the set, from 1.
        row: u64,
        /// The field and what is wrong with it.
        problem: String,
    },
    /// The HTTP client or one of its base addresses is unusable.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}

fn code_suffix(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

impl ApiError {
    /// Whether the same request may succeed a little later: 408, 429, 5xx, a timeout, a broken connection.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => is_transient_status(*status),
            Self::Transport { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }

    /// Whether the credential was refused (401) or is not enough (403).
    pub fn is_auth(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// How long the third party asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The HTTP status, if there was an answer with an error status.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The vendor's error code, if there was an answer with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Status { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// The vendor's text, if there was an answer with an error status.
    pub fn message(&self) -> &str {
        match self {
            Self::Status { message, .. } => message,
            _ => "",
        }
    }

    /// The same without a credential that the vendor may have repeated in its text.
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

    /// Builds the error of an answer with an error status from its body.
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

    /// Builds the error of an exchange without an answer; the URL is dropped.
    /// A connection that was not made in time counts as not made: then nothing
    /// was sent, which who sends mail has to know.
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

/// Whether an HTTP status means "not now" rather than "no".
pub(crate) fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// The method's name with a lifetime that errors can keep.
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

/// The error of a SCIM service (RFC 7644, section 3.12).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScimError {
    scim_type: Option<String>,
    detail: String,
}

/// Reads `{"error":{"code","message"}}` (OData), `{"scimType","detail"}` (SCIM) or
/// whatever text there is.
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

/// At most [`MAX_MESSAGE_CHARS`] characters, on one line.
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
