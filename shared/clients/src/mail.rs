//! The outgoing e-mail and the error of sending it, common to all mail channels.

use std::time::Duration;

use uuid::Uuid;

use crate::http::ApiError;

/// Header with the e-mail's id, which makes it traceable in the sender's mailbox and in message
/// traces. Graph accepts custom headers only if they start with `x-`:
/// <https://learn.microsoft.com/graph/api/resources/internetmessageheader>.
pub(crate) const ID_HEADER: &str = "x-rollcall-notice";

/// The importance flag of an e-mail; it does not affect delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Importance {
    /// Marked as important.
    High,
    /// Not marked.
    #[default]
    Normal,
}

/// An e-mail ready to be sent. The sender is defined by the channel (the connected account, or the
/// fixed address of S1-27).
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Recipient addresses; all recipients see one another.
    pub to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// The plain-text body, for channels that send both.
    pub text: String,
    /// The HTML body.
    pub html: String,
    /// The e-mail's id: the same for every attempt, and never reused for another e-mail.
    pub id: Uuid,
    /// The importance flag.
    pub importance: Importance,
}

/// Omits content and addresses, because logs have a wider audience than the e-mail.
impl std::fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingMail")
            .field("id", &self.id)
            .field("recipients", &self.to.len())
            .finish_non_exhaustive()
    }
}

/// The error of an e-mail that was not accepted, or whose acceptance is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not accepted: the rate limit is exceeded. Can be retried later.
    #[error("the mail service's rate limit is exceeded")]
    Throttled {
        /// The delay requested by the service.
        retry_after: Option<Duration>,
    },
    /// Not accepted, and retrying the same e-mail cannot succeed.
    #[error("the mail was rejected with status {status}: {message}")]
    Refused {
        /// HTTP status of the response.
        status: u16,
        /// The service's error code, if present.
        code: Option<String>,
        /// The service's error message, truncated to 300 characters.
        message: String,
    },
    /// Not accepted because of the sign-in, the key or the consent. All other mail of the same
    /// channel would fail as well.
    #[error("the mail service rejected the sign-in (status {status})")]
    SignIn {
        /// 401 or 403.
        status: u16,
        /// The service's error code, if present.
        code: Option<String>,
    },
    /// Not accepted: the service could not be reached. Can be retried.
    #[error("the mail service could not be reached: {0}")]
    NotSent(String),
    /// The response was lost or inconclusive: the e-mail may have been accepted.
    #[error("it is not known whether the mail was sent: {0}")]
    Unknown(String),
}

impl From<ApiError> for SendError {
    fn from(error: ApiError) -> Self {
        let words = error.to_string();
        match error {
            ApiError::Status {
                status: 429,
                retry_after,
                ..
            }
            // A 503 with `Retry-After` was rejected before processing (RFC 9110, section 15.6.4).
            | ApiError::Status {
                status: 503,
                retry_after: retry_after @ Some(_),
                ..
            } => Self::Throttled { retry_after },
            ApiError::Status {
                status: status @ (401 | 403),
                code,
                ..
            } => Self::SignIn { status, code },
            ApiError::Status {
                status,
                code,
                message,
                ..
            } if !crate::http::is_transient_status(status) => Self::Refused {
                status,
                code,
                message,
            },
            ApiError::Transport { source, .. } if source.is_connect() => Self::NotSent(words),
            // The mailbox is full (RFC 4918, section 11.5), so the e-mail was not accepted.
            ApiError::Status { status: 507, .. } | ApiError::Setup(_) => Self::NotSent(words),
            _ => Self::Unknown(words),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::http::{HttpSettings, RetryPolicy};

    /// Returns an e-mail for tests.
    pub(crate) fn mail() -> OutgoingMail {
        OutgoingMail {
            to: vec!["kay@contoso.com".into(), "lee@contoso.com".into()],
            subject: "A new course".into(),
            text: "You are enrolled.".into(),
            html: "<p>You are enrolled.</p>".into(),
            id: Uuid::from_u128(7),
            importance: Importance::Normal,
        }
    }

    fn of(status: u16) -> SendError {
        let wait = Some(Duration::from_secs(9));
        let body = br#"{"error":{"code":"ErrorCode","message":"Words."}}"#;
        ApiError::from_body("POST", "/x".into(), status, wait, body).into()
    }

    #[test]
    fn a_status_says_whether_the_mail_may_have_gone() {
        let code = || Some("ErrorCode".to_owned());
        let wait = Some(Duration::from_secs(9));
        assert_eq!(of(429), SendError::Throttled { retry_after: wait });
        for status in [401, 403] {
            let code = code();
            assert_eq!(of(status), SendError::SignIn { status, code });
        }
        for status in [302, 400, 404, 409, 413] {
            let (code, message) = (code(), "Words.".to_owned());
            let refused = SendError::Refused {
                status,
                code,
                message,
            };
            assert_eq!(of(status), refused);
        }
        assert_eq!(of(503), SendError::Throttled { retry_after: wait });
        for status in [408, 500, 502, 504] {
            assert!(matches!(of(status), SendError::Unknown(_)), "{status}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_not_made_in_time_sent_nothing() {
        let settings = HttpSettings {
            connect_timeout: Duration::from_nanos(1),
            retry: RetryPolicy::default(),
            ..HttpSettings::default()
        };
        let http = crate::http::Http::new(settings).expect("no client");
        let request = http.request(reqwest::Method::POST, "http://192.0.2.1/");
        let error = http.send(request).await.err().expect("a server responded");
        assert!(matches!(SendError::from(error), SendError::NotSent(_)));
    }
}
