//! Writes several changes with one bulk request if supported, with a result for each change.

use std::collections::HashMap;

use futures::StreamExt as _;
use reqwest::Method;
use rollcall_domain::directory_sync::{TargetReplica, Write};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::patch::Email;
use super::request::{OPERATIONS, Request, patch, request};
use super::write::Written;
use super::{Scim, ServiceCapabilities};
use crate::http::{ApiError, vendor_error};

#[derive(Deserialize)]
struct BulkResponse {
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

/// Deserializes a status. It is a string (RFC 7644, section 3.7); some services return a number, or
/// an object with a code.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let code = value.get("code").unwrap_or(&value);
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok());
    let number = number.and_then(|number| u16::try_from(number).ok());
    number.ok_or_else(|| serde::de::Error::custom("a status is not a number"))
}

impl Scim {
    /// Writes several independent changes. The results are in the order of the writes; changes
    /// without a final result in the bulk response are sent individually.
    pub async fn write_all(
        &self,
        writes: &[Write],
        replica: &TargetReplica,
        service: &ServiceCapabilities,
        language: &str,
    ) -> Vec<Result<Written, ApiError>> {
        let mut done: Vec<Option<Result<Written, ApiError>>> =
            writes.iter().map(|_| None).collect();
        // True if the remaining writes may have been applied; a team must not be created twice.
        let mut in_doubt = false;
        if let Some((most, bytes)) = service.bulk.filter(|_| service.patch) {
            let parts = writes.iter().enumerate().filter_map(|(at, write)| {
                let request = request(write, replica, service.features, language)?;
                Some((at, operation(at, request, service)?))
            });
            for parts in portions(parts, most, bytes) {
                // A single change gains nothing from a bulk request, and its own response is
                // clearer.
                if parts.len() > 1 {
                    in_doubt |= self.at_once(&parts, &mut done).await;
                }
            }
        }
        // Iterates by index, because a closure over references makes the future not `Send`.
        let alone = done.into_iter().enumerate().map(|(at, done)| async move {
            if let Some(settled) = done {
                return settled;
            }
            let write = self.write_in_doubt(&writes[at], replica, service, language, in_doubt);
            Box::pin(write).await
        });
        futures::stream::iter(alone)
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// Sends operations as one request. Returns whether operations without a final result may have
    /// been applied.
    async fn at_once(
        &self,
        parts: &[(usize, Value)],
        done: &mut [Option<Result<Written, ApiError>>],
    ) -> bool {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": parts.iter().map(|(_, part)| part).collect::<Vec<_>>(),
        });
        let sent = self.change_once(Method::POST, "/Bulk", &body).await;
        let response = sent.and_then(|it| it.json::<BulkResponse>("a bulk response"));
        match response {
            Ok(response) => record_answers(parts, &response, done),
            Err(error) => {
                tracing::info!(%error, "bulk request failed, sending its operations individually");
                !matches!(error.status(), Some(400..500))
            }
        }
    }
}

/// Maximum number of concurrent single requests.
const AT_ONCE: usize = 8;

/// Overhead around the operations of a bulk request in bytes, including commas.
const AROUND: usize = 100;

/// Splits operations into requests with at most `most` operations and `bytes` bytes.
fn portions(
    parts: impl Iterator<Item = (usize, Value)>,
    most: usize,
    bytes: usize,
) -> Vec<Vec<(usize, Value)>> {
    let mut portions: Vec<Vec<(usize, Value)>> = Vec::new();
    let mut size = 0;
    for part in parts {
        let own = part.1.to_string().len() + 1;
        let fits = |last: &&mut Vec<_>| last.len() < most && size + own <= bytes;
        if let Some(last) = portions.last_mut().filter(fits) {
            last.push(part);
            size += own;
        } else {
            portions.push(vec![part]);
            size = AROUND + own;
        }
    }
    portions
}

/// Returns a write as one operation; `None` if it takes several requests or none.
fn operation(at: usize, request: Request, service: &ServiceCapabilities) -> Option<Value> {
    let bulk_id = format!("w{at}");
    match request {
        Request::Create {
            path, body, then, ..
            // If the response is lost, the created resource is found by a filter.
        } if then.is_empty() && service.filter => {
            Some(json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": body}))
        }
        Request::Change { path, edits } if (1..=OPERATIONS).contains(&edits.len()) => Some(json!({
            "method": "PATCH", "path": path, "bulkId": bulk_id, "data": patch(&edits, Email::Replace),
        })),
        _ => None,
    }
}

/// Records the final results of a bulk response; rejected operations are sent individually to
/// obtain a full error. Returns whether any of them may have been applied.
fn record_answers(
    parts: &[(usize, Value)],
    response: &BulkResponse,
    done: &mut [Option<Result<Written, ApiError>>],
) -> bool {
    let mut in_doubt = false;
    let in_order = response.operations.len() == parts.len();
    let mut by_id: HashMap<String, &Part> = HashMap::new();
    for part in &response.operations {
        by_id.extend(part.bulk_id.clone().map(|id| (id, part)));
    }
    for (index, (at, part)) in parts.iter().enumerate() {
        let named = by_id.get(&format!("w{at}")).copied();
        let Some(answer) = named.or_else(|| in_order.then(|| &response.operations[index])) else {
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
            tracing::debug!(status = answer.status, %text, "sending a bulk operation individually");
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

/// Returns the id of a created resource, from the resource or else from its location.
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
