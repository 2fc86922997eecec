//! Azure Communication Services Email: signed requests, one message per operation.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::hub::{Hub, lock};

/// The only supported API version.
const VERSION: &str = "2023-03-31";
/// The headers signed by a client, in this order.
const SIGNED: &str = "x-ms-date;host;x-ms-content-sha256";

/// A mail resource: one access key, one sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcsResource {
    /// Access key in Base64, as shown in the portal.
    pub access_key_base64: String,
    /// The permitted sender address.
    pub sender: String,
    /// Maximum messages in any minute.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
}

fn per_minute() -> u32 {
    30
}

impl AcsResource {
    /// Creates a resource with the vendor's default limit.
    pub fn new(access_key_base64: impl Into<String>, sender: impl Into<String>) -> Self {
        Self {
            access_key_base64: access_key_base64.into(),
            sender: sender.into(),
            per_minute: per_minute(),
        }
    }
}

/// An accepted message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcsMail {
    /// Id of the operation.
    pub operation: String,
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// Sender's address.
    pub sender: String,
    /// Recipient addresses.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// HTML body.
    pub html: Option<String>,
    /// Plain body.
    pub text: Option<String>,
    /// Extra headers.
    pub headers: BTreeMap<String, String>,
}

/// Resources and accepted messages of one process.
#[derive(Default)]
pub(crate) struct Acs {
    resources: Mutex<Vec<AcsResource>>,
    mails: Mutex<Vec<AcsMail>>,
}

impl Acs {
    /// Adds a resource, or replaces the one with the same sender.
    pub(crate) fn register(&self, resource: AcsResource) {
        let mut all = lock(&self.resources);
        all.retain(|known| !known.sender.eq_ignore_ascii_case(&resource.sender));
        all.push(resource);
    }

    /// Returns all accepted messages, oldest first.
    pub(crate) fn mails(&self) -> Vec<AcsMail> {
        lock(&self.mails).clone()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message {
    sender_address: String,
    recipients: Recipients,
    content: Content,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, rename = "userEngagementTrackingDisabled")]
    _tracking: Option<bool>,
    #[serde(default, rename = "replyTo")]
    _reply_to: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Recipients {
    to: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Recipient {
    address: String,
    #[serde(default, rename = "displayName")]
    _name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    subject: String,
    plain_text: Option<String>,
    html: Option<String>,
}

/// Handles `/acs/…`.
pub(crate) fn handle(hub: &Hub, call: &Call) -> Reply {
    let Some(resource) = authenticate(&hub.acs, call) else {
        return refuse(401, "Denied", "The request's signature does not hold.");
    };
    if call.param("api-version") != Some(VERSION) {
        let text = "The query has no api-version that is known here.";
        return refuse(400, "MissingApiVersionParameter", text);
    }
    match (call.method.as_str(), call.path().as_slice()) {
        ("POST", ["emails:send"]) => send(hub, &resource, call),
        ("GET", ["emails", "operations", id]) => {
            let known = lock(&hub.acs.mails).iter().any(|it| it.operation == *id);
            if known {
                return Reply::json(200, json!({"id": id, "status": "Succeeded"}));
            }
            refuse(404, "OperationNotFound", "There is no such operation.")
        }
        _ => refuse(404, "NotFound", "There is nothing at this address."),
    }
}

/// Returns the resource whose key signed the request.
fn authenticate(acs: &Acs, call: &Call) -> Option<AcsResource> {
    let date = call.header("x-ms-date")?;
    let sent = DateTime::parse_from_rfc2822(date).ok()?;
    if (Utc::now() - sent.to_utc()).abs() > Duration::minutes(5) {
        return None;
    }
    let hash = call.header("x-ms-content-sha256")?;
    let own = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, call.body.as_bytes()));
    verify_slices_are_equal(hash.as_bytes(), own.as_bytes()).ok()?;
    let proof = call.header("authorization")?.strip_prefix("HMAC-SHA256 ")?;
    let (signed, signature) = proof.split_once("&Signature=")?;
    if signed != format!("SignedHeaders={SIGNED}") {
        return None;
    }
    let signature = BASE64_STANDARD.decode(signature).ok()?;
    let (method, target, host) = (&call.method, &call.target, call.header("host")?);
    let text = format!("{method}\n{target}\n{date};{host};{hash}");
    let all = lock(&acs.resources);
    let mut fitting = all.iter().filter(|resource| {
        let Ok(key) = BASE64_STANDARD.decode(&resource.access_key_base64) else {
            return false;
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::verify(&key, text.as_bytes(), &signature).is_ok()
    });
    fitting.next().cloned()
}

fn send(hub: &Hub, resource: &AcsResource, call: &Call) -> Reply {
    let message: Message = match serde_json::from_str(&call.body) {
        Ok(message) => message,
        Err(error) => return refuse(400, "InvalidRequest", &error.to_string()),
    };
    if !message
        .sender_address
        .eq_ignore_ascii_case(&resource.sender)
    {
        let text = "The sender's name is not one of this resource.";
        return refuse(400, "InvalidSenderUserName", text);
    }
    let to: Vec<String> = message
        .recipients
        .to
        .into_iter()
        .map(|it| it.address)
        .collect();
    let has_body = message.content.html.is_some() || message.content.plain_text.is_some();
    if to.is_empty() || to.iter().any(|it| !it.contains('@')) || !has_body {
        let text = "A message needs recipients with addresses, and a body.";
        return refuse(400, "InvalidRequest", text);
    }
    let operation = match call.header("operation-id") {
        None => Uuid::new_v4().to_string(),
        Some(id) if Uuid::try_parse(id).is_ok() => id.to_lowercase(),
        Some(_) => return refuse(400, "InvalidRequest", "Operation-Id is not a UUID."),
    };
    let now = Utc::now();
    let mut mails = lock(&hub.acs.mails);
    if mails.iter().any(|it| it.operation == operation) {
        return accepted(hub, &operation);
    }
    if let Some(wait) = over_limit(&mails, resource, now) {
        return refuse(429, "TooManyRequests", "Too many messages in a minute.")
            .header("retry-after", wait.to_string());
    }
    mails.push(AcsMail {
        operation: operation.clone(),
        at: now,
        sender: message.sender_address,
        to,
        subject: message.content.subject,
        html: message.content.html,
        text: message.content.plain_text,
        headers: message.headers,
    });
    accepted(hub, &operation)
}

/// Returns the seconds until the resource may send again, or `None` if it may send now.
fn over_limit(mails: &[AcsMail], resource: &AcsResource, now: DateTime<Utc>) -> Option<i64> {
    let minute = Duration::minutes(1);
    let recent = mails
        .iter()
        .filter(|it| it.sender.eq_ignore_ascii_case(&resource.sender) && now - it.at < minute);
    let times: Vec<DateTime<Utc>> = recent.map(|it| it.at).collect();
    let limit = usize::try_from(resource.per_minute).unwrap_or(usize::MAX);
    if times.len() < limit {
        return None;
    }
    let first = times.get(times.len() - limit).copied().unwrap_or(now);
    Some((first + minute - now).num_seconds() + 1)
}

fn accepted(hub: &Hub, operation: &str) -> Reply {
    let location = format!(
        "{}/acs/emails/operations/{operation}?api-version={VERSION}",
        hub.origin
    );
    Reply::json(202, json!({"id": operation, "status": "Running"}))
        .header("operation-location", location)
}

fn refuse(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": message}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "c2VjcmV0IGtleQ==";

    fn hub() -> Hub {
        let hub = Hub::new("http://acs.example".to_owned());
        let mut resource = AcsResource::new(KEY, "noreply@x.example");
        resource.per_minute = 2;
        hub.acs.register(resource);
        hub
    }

    fn signed(date: &str, key: &str, body: &str, operation: Option<Uuid>) -> Call {
        let target = "/acs/emails:send?api-version=2023-03-31";
        let hash = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes()));
        let key = hmac::Key::new(
            hmac::HMAC_SHA256,
            &BASE64_STANDARD.decode(key).expect("a key"),
        );
        let text = format!("POST\n{target}\n{date};acs.example;{hash}");
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let proof = format!("HMAC-SHA256 SignedHeaders={SIGNED}&Signature={signature}");
        let mut headers = BTreeMap::from([
            ("x-ms-date".to_owned(), date.to_owned()),
            ("host".to_owned(), "acs.example".to_owned()),
            ("x-ms-content-sha256".to_owned(), hash),
            ("authorization".to_owned(), proof),
        ]);
        if let Some(id) = operation {
            headers.insert("operation-id".to_owned(), id.to_string());
        }
        Call::new("POST", target, headers, body.to_owned())
    }

    fn now() -> String {
        Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn body(sender: &str) -> String {
        json!({
            "senderAddress": sender,
            "recipients": {"to": [{"address": "ada@x.example", "displayName": "Ada"}]},
            "content": {"subject": "Hello", "plainText": "Hi", "html": "<p>Hi</p>"},
            "headers": {"x-run": "1"},
        })
        .to_string()
    }

    #[test]
    fn only_fresh_and_right_signatures_get_in() {
        let hub = hub();
        let body = body("noreply@x.example");
        let status = |call: &Call| handle(&hub, call).status;
        assert_eq!(status(&signed(&now(), "b3RoZXI=", &body, None)), 401);
        let old = (Utc::now() - Duration::minutes(6)).format("%a, %d %b %Y %H:%M:%S GMT");
        assert_eq!(status(&signed(&old.to_string(), KEY, &body, None)), 401);
        let mut changed = signed(&now(), KEY, &body, None);
        changed.body.push(' ');
        assert_eq!(status(&changed), 401);
        assert!(hub.acs.mails().is_empty());
        assert_eq!(status(&signed(&now(), KEY, &body, None)), 202);
        assert_eq!(hub.acs.mails()[0].headers["x-run"], "1");
    }

    #[test]
    fn an_operation_sends_once_and_the_minute_has_a_limit() {
        let hub = hub();
        let body = body("NoReply@x.example");
        let operation = Some(Uuid::from_u128(9));
        for _ in 0..3 {
            let reply = handle(&hub, &signed(&now(), KEY, &body, operation));
            assert_eq!(reply.status, 202);
        }
        assert_eq!(hub.acs.mails().len(), 1);
        assert_eq!(handle(&hub, &signed(&now(), KEY, &body, None)).status, 202);
        let third = handle(&hub, &signed(&now(), KEY, &body, None));
        assert_eq!(third.status, 429);
        assert_eq!(third.headers[0].0, "retry-after");
    }

    #[test]
    fn strangers_cannot_send_and_nonsense_is_refused() {
        let hub = hub();
        let other = signed(&now(), KEY, &body("other@x.example"), None);
        assert_eq!(handle(&hub, &other).status, 400);
        assert_eq!(handle(&hub, &signed(&now(), KEY, "{}", None)).status, 400);
        assert!(hub.acs.mails().is_empty());
    }
}
