//! OAuth errors with their AADSTS numbers, for the token endpoint and redirects.

use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

use crate::behaviour::OauthRefusal;
use crate::call::Reply;

/// A rejected token request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    error: String,
    suberror: Option<String>,
    number: u32,
    text: String,
}

impl Refusal {
    /// An error with status 400.
    pub(super) fn bad(error: &str, number: u32, text: impl Into<String>) -> Self {
        Self {
            status: 400,
            error: error.to_owned(),
            suberror: None,
            number,
            text: text.into(),
        }
    }

    /// An invalid grant.
    pub(super) fn grant(number: u32, text: impl Into<String>) -> Self {
        Self::bad("invalid_grant", number, text)
    }

    /// An invalid client.
    pub(super) fn client(number: u32, text: impl Into<String>) -> Self {
        Self {
            status: 401,
            ..Self::bad("invalid_client", number, text)
        }
    }

    /// An application unknown in the tenant.
    pub(super) fn unknown_app(client_id: &str) -> Self {
        let text =
            format!("Application with identifier '{client_id}' was not found in the directory.");
        Self::bad("unauthorized_client", 700_016, text)
    }

    /// A tenant that is not loaded.
    pub(super) fn unknown_tenant(segment: &str) -> Self {
        let text =
            format!("Tenant '{segment}' not found. Check the tenant identifier and the cloud.");
        Self::bad("invalid_request", 90002, text)
    }

    /// Returns the error with a `suberror`.
    pub(super) fn suberror(mut self, word: &str) -> Self {
        self.suberror = Some(word.to_owned());
        self
    }

    #[cfg(test)]
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Converts the error into a response.
    pub(super) fn into_reply(self) -> Reply {
        let described = Described::new(self.number, &self.text);
        let mut body = json!({
            "error": self.error,
            "error_description": described.text,
            "error_codes": [self.number],
            "timestamp": described.stamp,
            "trace_id": described.trace,
            "correlation_id": described.correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        });
        if let Some(word) = self.suberror {
            body["suberror"] = json!(word);
        }
        Reply::json(self.status, body)
    }
}

impl From<&OauthRefusal> for Refusal {
    fn from(forced: &OauthRefusal) -> Self {
        Self {
            status: forced.status,
            error: forced.error.clone(),
            suberror: forced.suberror.clone(),
            number: forced.number,
            text: "This refusal was ordered by a test.".to_owned(),
        }
    }
}

struct Described {
    text: String,
    stamp: String,
    trace: Uuid,
    correlation: Uuid,
}

impl Described {
    fn new(number: u32, text: &str) -> Self {
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let stamp = Utc::now().format("%Y-%m-%d %H:%M:%SZ").to_string();
        Self {
            text: format!(
                "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} \
                 Timestamp: {stamp}"
            ),
            stamp,
            trace,
            correlation,
        }
    }
}

/// Returns an `error_description`.
pub(super) fn describe(number: u32, text: &str) -> String {
    Described::new(number, text).text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Payload;

    #[test]
    fn a_refusal_carries_number_suberror_and_ids() {
        let reply = Refusal::grant(700_082, "Too old.").suberror("bad_token");
        let reply = reply.into_reply();
        assert_eq!(reply.status, 400);
        let Payload::Json(body) = reply.body else {
            panic!("not JSON");
        };
        assert_eq!(body["error"], "invalid_grant");
        assert_eq!(body["suberror"], "bad_token");
        assert_eq!(body["error_codes"], json!([700_082]));
        let text = body["error_description"].as_str().expect("text");
        assert!(
            text.starts_with("AADSTS700082: Too old. Trace ID: "),
            "{text}"
        );
    }
}
