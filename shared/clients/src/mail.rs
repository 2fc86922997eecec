//! A mail that goes out and what can come of it, whichever service carries it.

use std::time::Duration;

use uuid::Uuid;

use crate::http::ApiError;

/// Carries a mail's own id, so that it can be found in the sender's mailbox
/// and in message traces. Graph takes own headers only if they start with `x-`:
/// <https://learn.microsoft.com/graph/api/resources/internetmessageheader>.
pub(crate) const ID_HEADER: &str = "x-rollcall-notice";

/// How a mail is marked for the eye; it goes no faster for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Importance {
    /// Marked as important.
    High,
    /// Not marked.
    #[default]
    Normal,
}

/// One mail, ready to go. It has no sender: that is a matter of the channel
/// (the connected account, or the fixed address of S1-27).
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Addresses of everyone it goes to; they see one another.
    pub to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// The words without markup, for channels that carry both.
    pub text: String,
    /// The words as HTML.
    pub html: String,
    /// Its own id: the same for every try of the same mail, never used twice.
    pub id: Uuid,
    /// How it is marked.
    pub importance: Importance,
}

/// Neither words nor addresses: what is logged is read by others than the mail.
impl std::fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingMail")
            .field("id", &self.id)
            .field("recipients", &self.to.len())
            .finish_non_exhaustive()
    }
}

/// A mail that was not, or perhaps not, taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Surely not taken: too much in a short time. It may be tried again later.
    #[error("the mail service takes no more just now")]
    Throttled {
        /// How long the service asked to wait.
        retry_after: Option<Duration>,
    },
    /// Surely not taken, and the same mail will not be taken later either.
    #[error("the mail was refused with status {status}: {message}")]
    Refused {
        /// HTTP status of the answer.
        status: u16,
        /// The service's error code, if it named one.
        code: Option<String>,
        /// The service's words, at most 300 characters.
        message: String,
    },
    /// Surely not taken: the sign-in, the key or the consent is the trouble,
    /// which no other mail of the same channel would escape.
    #[error("the mail service did not accept the sign-in (status {status})")]
    SignIn {
        /// 401 or 403.
        status: u16,
        /// The service's error code, if it named one.
        code: Option<String>,
    },
    /// Surely not taken: the service was never reached. It may be tried again.
    #[error("the mail service could not be reached: {0}")]
    NotSent(String),
    /// The answer was lost or says nothing: the mail may have been taken.
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
            // A server that says when to come back has not begun (RFC 9110, section 15.6.4).
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
            // The mailbox is full (RFC 4918, section 11.5): nothing was taken.
            ApiError::Status { status: 507, .. } | ApiError::Setup(_) => Self::NotSent(words),
            _ => Self::Unknown(words),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::http::{HttpSettings, RetryPolicy};

    /// A mail for tests.
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
        let http = crate::http::Http::new(settings).expect("a client");
        let request = http.request(reqwest::Method::POST, "http://192.0.2.1/");
        let error = http.send(request).await.err().expect("nobody listens");
        assert!(matches!(SendError::from(error), SendError::NotSent(_)));
    }
}
