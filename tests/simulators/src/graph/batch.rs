//! `POST /$batch`: up to 20 requests in one, each with its own faults, quota and log entry.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::perform;
use crate::call::{Call, Payload, Reply};
use crate::entra::Claims;
use crate::hub::{Gate, Hub, Shared, gate, lock, settle};

/// Maximum number of requests in a batch.
const MAX_PARTS: usize = 20;

#[derive(Deserialize)]
struct Envelope {
    requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Runs the parts in order and returns their responses in shuffled order.
pub(super) async fn run(hub: &Hub, shared: &Shared, app: &Claims, call: &Call) -> Reply {
    let parts = match parse(&call.body) {
        Ok(parts) => parts,
        Err(error) => return error.into_reply(),
    };
    let mut failed = HashSet::new();
    let mut responses = Vec::with_capacity(parts.len());
    for part in &parts {
        let reply = if part
            .depends_on
            .iter()
            .any(|id| failed.contains(&id.to_lowercase()))
        {
            GraphError::new(
                424,
                "FailedDependency",
                "A request this one depends on failed.",
            )
            .into_reply()
        } else {
            answer(hub, shared, app, part).await
        };
        match reply.body {
            // A single part cannot be lost: a broken part breaks the whole response.
            Payload::Hangup => return reply,
            Payload::Broken(text) => {
                return Reply {
                    body: Payload::Broken(format!("{{\"responses\":[{text}")),
                    ..reply
                };
            }
            _ => {}
        }
        if reply.status >= 400 {
            failed.insert(part.id.to_lowercase());
        }
        responses.push(wrap(&part.id, reply));
    }
    shuffle(shared, &mut responses);
    Reply::json(200, json!({"responses": responses}))
}

async fn answer(hub: &Hub, shared: &Shared, app: &Claims, part: &Part) -> Reply {
    let call = part.call();
    match gate(shared, &call).await {
        Gate::Shut(reply) => settle(shared, &call, reply, None, true),
        Gate::Open(fault) => {
            let reply = perform(hub, shared, app, &call).await;
            settle(shared, &call, reply, fault, true)
        }
    }
}

impl Part {
    fn call(&self) -> Call {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()));
        let target = format!("/graph/v1.0/{}", self.url.trim_start_matches('/'));
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        Call::new(&self.method, &target, headers.collect(), body)
    }

    fn has_content_type(&self) -> bool {
        self.headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"))
    }
}

/// Parses a batch; returns 400 for the whole batch if it is invalid.
fn parse(body: &str) -> Result<Vec<Part>, GraphError> {
    let refuse = |text: String| Err(GraphError::new(400, "BadRequest", text));
    let parts = match serde_json::from_str::<Envelope>(body) {
        Ok(envelope) => envelope.requests,
        Err(_) => return refuse("Invalid batch payload format.".to_owned()),
    };
    if parts.is_empty() || parts.len() > MAX_PARTS {
        return refuse(format!(
            "Number of batch request steps must be between 1 and {MAX_PARTS}."
        ));
    }
    let mut seen = HashSet::new();
    for part in &parts {
        let id = &part.id;
        if part.url.contains("://") || part.url.contains("$batch") {
            return refuse(format!(
                "Invalid request url in batch for request id : {id}."
            ));
        }
        if part.body.is_some() && !part.has_content_type() {
            return refuse(format!(
                "Write request id : {id} does not contain Content-Type header or body."
            ));
        }
        if part
            .depends_on
            .iter()
            .any(|other| !seen.contains(&other.to_lowercase()))
        {
            return refuse(format!(
                "Request id : {id} depends on a request that does not precede it."
            ));
        }
        if !seen.insert(id.to_lowercase()) {
            return refuse(format!("Request id : {id} is not unique."));
        }
    }
    Ok(parts)
}

fn wrap(id: &str, reply: Reply) -> Value {
    let mut headers: Map<String, Value> = reply
        .headers
        .into_iter()
        .map(|(name, value)| (canonical(&name), json!(value)))
        .collect();
    let body = match reply.body {
        Payload::Json(value) => value,
        Payload::Text(text) => json!(text),
        Payload::Bytes(bytes) => json!(BASE64_STANDARD.encode(bytes)),
        _ => Value::Null,
    };
    if !body.is_null() && !headers.contains_key("Content-Type") {
        headers.insert("Content-Type".to_owned(), json!("application/json"));
    }
    json!({"id": id, "status": reply.status, "headers": headers, "body": body})
}

/// Returns a header name as used in JSON keys of batch parts, in the documentation's
/// capitalisation.
fn canonical(name: &str) -> String {
    match name {
        "retry-after" => "Retry-After".to_owned(),
        "content-type" => "Content-Type".to_owned(),
        other => other.to_owned(),
    }
}

/// Shuffles the responses: differently for every batch, but deterministically in every test run.
fn shuffle(shared: &Shared, responses: &mut [Value]) {
    let mut tenant = lock(shared);
    tenant.batches += 1;
    responses.shuffle(&mut ChaCha8Rng::seed_from_u64(tenant.batches));
}
