//! Sends mail through Azure Communication Services, from the configured sender address.
//!
//! Request: <https://learn.microsoft.com/rest/api/communication/email/email/send>;
//! signature:
//! <https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial>.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::http::{ApiError, Base, Http, Secret};
use crate::mail::{ID_HEADER, Importance, OutgoingMail, SendError};

/// Path and API version of the send operation, the only one used.
const SEND: &str = "/emails:send?api-version=2023-03-31";

/// The ACS channel (S1-26), for volumes above the limits of a mailbox.
#[derive(Clone)]
pub struct AcsMail {
    http: Http,
    url: Url,
    key: Hmac<Sha256>,
    sender: String,
}

impl fmt::Debug for AcsMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcsMail")
            .field("url", &self.url.as_str())
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

impl AcsMail {
    /// Creates the channel of an ACS resource from its endpoint, one of its two access keys in
    /// Base64 as shown in the portal, and an address of a domain linked to it. All mail is sent
    /// from that address (S1-27).
    ///
    /// Returns an error if the endpoint is not a valid URL or the key is not valid Base64.
    pub fn new(
        http: Http,
        endpoint: &str,
        access_key_base64: &Secret,
        sender: &str,
    ) -> Result<Self, ApiError> {
        let url = Base::parse(endpoint)?.join(SEND);
        let url = Url::parse(&url).map_err(|error| ApiError::Setup(error.to_string()))?;
        let bad_key = || ApiError::Setup("the access key is not valid Base64".to_owned());
        let key = STANDARD
            .decode(access_key_base64.expose().trim())
            .ok()
            .filter(|key| !key.is_empty())
            .ok_or_else(bad_key)?;
        let key = Hmac::new_from_slice(&key).map_err(|_| bad_key())?;
        Ok(Self {
            http,
            url,
            key,
            sender: sender.to_owned(),
        })
    }

    /// Submits one e-mail. Success means accepted for sending, not delivered: the service sends it
    /// later, and only its delivery reports contain the outcome.
    ///
    /// The e-mail's id is sent as the operation id (`Operation-Id`), so a retry repeats the same
    /// operation instead of sending a second e-mail. Transient failures are therefore retried here,
    /// and even after [`SendError::Unknown`] the same e-mail can be sent again later.
    pub async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let body = self.body(mail).to_string();
        // Each attempt is signed separately, because the service rejects an old date.
        let attempt = || async { self.attempt(mail, &body).await };
        Ok(self.http.retry().run(None, attempt).await?)
    }

    async fn attempt(&self, mail: &OutgoingMail, body: &str) -> Result<(), ApiError> {
        let signed = self.sign(Utc::now(), body.as_bytes());
        let request = self
            .http
            .request(Method::POST, self.url.as_str())
            .header("Content-Type", "application/json")
            .header("Operation-Id", mail.id.to_string())
            .header("x-ms-date", signed.date)
            .header("x-ms-content-sha256", signed.hash)
            .header("Authorization", signed.authorization)
            .body(body.to_owned());
        self.http.send(request).await?.success()?;
        Ok(())
    }

    fn body(&self, mail: &OutgoingMail) -> Value {
        let to: Vec<_> = mail.to.iter().map(|to| json!({ "address": to })).collect();
        let mut headers = json!({ ID_HEADER: mail.id });
        if mail.importance == Importance::High {
            headers["Importance"] = "high".into();
        }
        json!({
            "senderAddress": self.sender,
            "recipients": { "to": to },
            "content": { "subject": mail.subject, "plainText": mail.text, "html": mail.html },
            "headers": headers,
            // It is private whether a recipient opened the e-mail, so this must not be tracked.
            "userEngagementTrackingDisabled": true,
        })
    }

    /// Signs a body for the given time.
    fn sign(&self, at: DateTime<Utc>, body: &[u8]) -> Signed {
        let date = at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let hash = STANDARD.encode(Sha256::digest(body));
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}"));
        let (path, query) = (self.url.path(), self.url.query().unwrap_or_default());
        let text = format!(
            "POST\n{path}?{query}\n{date};{host}{};{hash}",
            port.unwrap_or_default()
        );
        let mut mac = self.key.clone();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let authorization = format!(
            "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
        );
        Signed {
            date,
            hash,
            authorization,
        }
    }
}

/// The three headers of a signed request.
struct Signed {
    date: String,
    hash: String,
    authorization: String,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use chrono::TimeZone;

    use super::*;
    use crate::http::testing::{Act, Stub, quick, reply};
    use crate::mail::tests::mail;

    /// Base64 of `a key of thirty-two bytes, or so`.
    const KEY: &str = "YSBrZXkgb2YgdGhpcnR5LXR3byBieXRlcywgb3Igc28=";
    const SENDER: &str = "DoNotReply@mail.contoso.com";

    fn channel(endpoint: &str) -> AcsMail {
        AcsMail::new(quick(), endpoint, &Secret::new(KEY), SENDER).expect("no channel")
    }

    /// The expected values were computed with another implementation (Python's hmac).
    #[test]
    fn the_signature_is_the_one_others_compute() {
        let channel = channel("https://mail.contoso.example:8443/acs/");
        let at = Utc.with_ymd_and_hms(2026, 10, 1, 8, 30, 0).unwrap();
        let signed = channel.sign(at, br#"{"a":1}"#);
        assert_eq!(signed.date, "Thu, 01 Oct 2026 08:30:00 GMT");
        assert_eq!(signed.hash, "AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=");
        assert_eq!(
            signed.authorization,
            "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=L2D3j4BTMc5Oy+B8IIwGGq93m0O73T0AColhjvntZK4="
        );
    }

    /// Proves S1-26 and S1-27: the e-mail is sent through the service, from the fixed address.
    #[tokio::test]
    async fn a_mail_is_handed_over_under_its_own_id() {
        let stub = Stub::start(|_| reply(202, "", r#"{"status":"Running"}"#)).await;
        let channel = channel(&format!("{}/acs", stub.url));
        channel.send(&mail()).await.expect("not accepted");
        let asked = stub.requests();
        let (head, body) = asked[0].split_once("\r\n\r\n").expect("no empty line");
        assert!(
            head.starts_with("POST /acs/emails:send?api-version=2023-03-31 "),
            "{head}"
        );
        assert!(
            head.contains("operation-id: 00000000-0000-0000-0000-000000000007"),
            "{head}"
        );
        let hash = STANDARD.encode(Sha256::digest(body.as_bytes()));
        assert!(
            head.contains(&format!("x-ms-content-sha256: {hash}")),
            "{head}"
        );
        let body: Value = serde_json::from_str(body).expect("invalid JSON");
        let expected = json!({
            "senderAddress": SENDER,
            "recipients": { "to": [{ "address": "kay@contoso.com" }, { "address": "lee@contoso.com" }] },
            "content": {
                "subject": "A new course",
                "plainText": "You are enrolled.",
                "html": "<p>You are enrolled.</p>",
            },
            "headers": { "x-rollcall-notice": "00000000-0000-0000-0000-000000000007" },
            "userEngagementTrackingDisabled": true,
        });
        assert_eq!(body, expected);
        let urgent = OutgoingMail {
            importance: Importance::High,
            ..mail()
        };
        assert_eq!(channel.body(&urgent)["headers"]["Importance"], "high");
    }

    #[tokio::test]
    async fn a_lost_answer_is_repeated_as_the_same_operation() {
        let count = AtomicU32::new(0);
        let stub = Stub::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => reply(503, "", ""),
            1 => Act::Answer(String::new()),
            _ => reply(202, "", "{}"),
        })
        .await;
        channel(&stub.url)
            .send(&mail())
            .await
            .expect("not accepted");
        let asked = stub.requests();
        assert_eq!(asked.len(), 3);
        let same = "operation-id: 00000000-0000-0000-0000-000000000007";
        assert!(asked.iter().all(|request| request.contains(same)));
    }

    #[tokio::test]
    async fn a_wrong_key_is_a_matter_of_the_sign_in() {
        let stub =
            Stub::start(|_| reply(401, "", r#"{"error":{"code":"Denied","message":"No."}}"#)).await;
        let error = channel(&stub.url)
            .send(&mail())
            .await
            .expect_err("not refused");
        let code = Some("Denied".to_owned());
        assert_eq!(error, SendError::SignIn { status: 401, code });
        assert_eq!(stub.requests().len(), 1);
    }

    #[test]
    fn a_key_that_is_no_base64_is_refused_and_never_shown() {
        for key in ["", "not Base64!"] {
            let made = AcsMail::new(quick(), "https://a.example", &Secret::new(key), SENDER);
            assert!(matches!(made, Err(ApiError::Setup(_))), "{made:?}");
        }
        let shown = format!("{:?}", channel("https://a.example"));
        assert!(
            shown.contains("a.example") && !shown.contains("key"),
            "{shown}"
        );
    }
}
