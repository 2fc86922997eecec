//! Makes many changes with one request, where the service offers that; each is told by itself.

use std::collections::HashMap;

use futures::StreamExt as _;
use reqwest::Method;
use rollcall_domain::directory::{Mirror, Write};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::edit::Email;
use super::write::{OPERATIONS, Request, Written, patch, request};
use super::{Described, Scim};
use crate::http::{ApiError, vendor_error};

#[derive(Deserialize)]
struct Answered {
    #[serde(rename = "Operations", default)]
    operations: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(default)]
    bulk_id: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(deserialize_with = "status")]
    status: u16,
    #[serde(default)]
    response: Option<Value>,
}

/// A status is a text (RFC 7644, section 3.7); some services write a number, or an
/// object with its code.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let code = value.get("code").unwrap_or(&value);
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok());
    let number = number.and_then(|number| u16::try_from(number).ok());
    number.ok_or_else(|| serde::de::Error::custom("a status is no number"))
}

impl Scim {
    /// Makes several changes that do not depend on one another. The answers are in
    /// the order of the writes; what the bulk request did not settle is sent alone.
    pub async fn write_all(
        &self,
        writes: &[Write],
        mirror: &Mirror,
        described: &Described,
        language: &str,
    ) -> Vec<Result<Written, ApiError>> {
        let mut done: Vec<Option<Result<Written, ApiError>>> =
            writes.iter().map(|_| None).collect();
        // Whether what is left was perhaps made: nobody creates a team twice.
        let mut in_doubt = false;
        if described.patch && described.bulk.is_some() {
            let parts: Vec<(usize, Value)> = writes
                .iter()
                .enumerate()
                .filter_map(|(at, write)| {
                    let request = request(write, mirror, described.features, language)?;
                    Some((at, operation(at, request)?))
                })
                .collect();
            in_doubt = self.at_once(&parts, described, &mut done).await;
        }
        let alone = writes.iter().zip(done).map(|(write, done)| async move {
            if let Some(settled) = done {
                return settled;
            }
            let write = self.write_in_doubt(write, mirror, described, language, in_doubt);
            Box::pin(write).await
        });
        futures::stream::iter(alone)
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// Sends operations as one request. Answers whether some of those that are not
    /// settled by it may have been made all the same.
    async fn at_once(
        &self,
        parts: &[(usize, Value)],
        described: &Described,
        done: &mut [Option<Result<Written, ApiError>>],
    ) -> bool {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": parts.iter().map(|(_, part)| part).collect::<Vec<_>>(),
        });
        let fits = |(_, bytes): (usize, usize)| body.to_string().len() <= bytes;
        // One alone is as quick without, and its answer says more.
        if parts.len() < 2 || !described.bulk.is_some_and(fits) {
            return false;
        }
        let sent = self.change_once(Method::POST, "/Bulk", &body).await;
        let answered = sent.and_then(|it| it.json::<Answered>("the answers to a bulk request"));
        match answered {
            Ok(answered) => settle(parts, &answered, done),
            Err(error) => {
                tracing::info!(%error, "a bulk request is sent again one by one");
                !matches!(error.status(), Some(400..500))
            }
        }
    }
}

/// Single requests at a time.
const AT_ONCE: usize = 8;

/// A write as one operation; `None` for one that takes several requests.
fn operation(at: usize, request: Request) -> Option<Value> {
    let bulk_id = format!("w{at}");
    match request {
        Request::Create {
            path, body, then, ..
        } if then.is_empty() => {
            Some(json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": body}))
        }
        Request::Change { path, edits } if edits.len() <= OPERATIONS => Some(json!({
            "method": "PATCH", "path": path, "bulkId": bulk_id, "data": patch(&edits, Email::Replace),
        })),
        _ => None,
    }
}

/// Takes what the service answered for good; what it refused is sent alone, which
/// tells why. Answers whether something may have been made all the same.
fn settle(
    parts: &[(usize, Value)],
    answered: &Answered,
    done: &mut [Option<Result<Written, ApiError>>],
) -> bool {
    let mut in_doubt = false;
    let in_order = answered.operations.len() == parts.len();
    let mut by_id: HashMap<String, &Part> = HashMap::new();
    for part in &answered.operations {
        by_id.extend(part.bulk_id.clone().map(|id| (id, part)));
    }
    for (place, (at, part)) in parts.iter().enumerate() {
        let named = by_id.get(&format!("w{at}")).copied();
        let Some(answer) = named.or_else(|| in_order.then(|| &answered.operations[place])) else {
            in_doubt = true;
            continue;
        };
        if !(200..300).contains(&answer.status) {
            let (_, text) = vendor_error(
                answer
                    .response
                    .as_ref()
                    .map(Value::to_string)
                    .unwrap_or_default()
                    .as_bytes(),
            );
            tracing::debug!(status = answer.status, %text, "a part of a bulk request is sent alone");
            in_doubt |= answer.status >= 500;
            continue;
        }
        let created = part["method"] == "POST";
        let id = created.then(|| created_id(answer)).flatten();
        if !created || id.is_some() {
            done[*at] = Some(Ok(Written::Done(id)));
        } else {
            in_doubt = true;
        }
    }
    in_doubt
}

/// The id of what was created: of the resource, else the end of its location.
fn created_id(part: &Part) -> Option<String> {
    let id = part
        .response
        .as_ref()
        .and_then(|it| it.get("id"))
        .and_then(Value::as_str);
    let last = || {
        part.location
            .as_deref()?
            .trim_end_matches('/')
            .rsplit('/')
            .next()
    };
    let id = id.or_else(last).filter(|id| !id.is_empty())?;
    let decoded = percent_encoding::percent_decode_str(id)
        .decode_utf8()
        .ok()?;
    Some(decoded.into_owned())
}
