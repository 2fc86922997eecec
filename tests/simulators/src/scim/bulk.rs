//! `POST /Bulk`: several changes in one request, which may refer to each other by `bulkId`.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ScimError;
use super::normal::needs_schema;
use super::schema::Kind;
use super::write::{self, Change, Done};
use super::{RequestContext, shape};

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
const REFERENCE: &str = "bulkId:";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    fail_on_errors: Option<usize>,
    #[serde(rename = "Operations")]
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    method: String,
    path: String,
    bulk_id: Option<String>,
    version: Option<String>,
    data: Option<Value>,
}

/// Ids of the resources created so far, by `bulkId`; `None` if the creation failed.
type Made = HashMap<String, Option<String>>;

/// Runs the operations in order, after the operations they refer to.
pub(super) fn run(context: &mut RequestContext<'_>) -> Result<Value, ScimError> {
    let message = message(context)?;
    let operations = &message.operations;
    let most = message.fail_on_errors.unwrap_or(usize::MAX).max(1);
    let (mut made, mut results) = (Made::new(), BTreeMap::new());
    let mut waiting: Vec<usize> = (0..operations.len()).collect();
    let mut errors = 0;
    while !waiting.is_empty() && errors < most {
        let (mut later, mut progress) = (Vec::new(), false);
        for at in waiting {
            let operation = &operations[at];
            if errors >= most {
                break;
            }
            if operation.waits(operations, &made) {
                later.push(at);
                continue;
            }
            progress = true;
            let result = operation.run(context, &mut made);
            errors += usize::from(result["response"].is_object());
            results.insert(at, result);
        }
        if !progress {
            for at in later {
                let text = "The operation refers to one that waits for it.";
                results.insert(at, operations[at].failed(&ScimError::new(409, text)));
            }
            break;
        }
        waiting = later;
    }
    let results: Vec<Value> = results.into_values().collect();
    Ok(json!({"schemas": [RESPONSE], "Operations": results}))
}

fn message(context: &RequestContext<'_>) -> Result<Message, ScimError> {
    let can = &context.state.behaviour;
    if !can.bulk {
        return Err(ScimError::new(501, "Bulk requests are not supported."));
    }
    let (most, size) = (can.max_operations, can.max_payload);
    if context.call.body.len() > size {
        let text = format!("The size of the bulk operation exceeds the maxPayloadSize ({size}).");
        return Err(ScimError::new(413, text));
    }
    let body = context.call.json().unwrap_or_default();
    let fields = body.as_object();
    let fields = fields.ok_or_else(|| ScimError::syntax("The body is no JSON object."))?;
    needs_schema(fields, REQUEST)?;
    let message: Message =
        serde_json::from_value(body).map_err(|error| ScimError::syntax(error.to_string()))?;
    if message.operations.len() > most {
        let text = format!("The bulk operation exceeds the maxOperations ({most}).");
        return Err(ScimError::new(413, text));
    }
    Ok(message)
}

impl Operation {
    /// Returns whether it refers to a resource that another operation has not created yet.
    fn waits(&self, all: &[Self], made: &Made) -> bool {
        let mut names = Vec::new();
        references(self.data.as_ref().unwrap_or(&Value::Null), &mut names);
        names.extend(
            self.path
                .split('/')
                .filter_map(|it| it.strip_prefix(REFERENCE)),
        );
        let to_be_made = |name: &str| all.iter().any(|it| it.makes(name));
        names
            .into_iter()
            .any(|name| !made.contains_key(name) && to_be_made(name))
    }

    fn makes(&self, name: &str) -> bool {
        self.method.eq_ignore_ascii_case("POST") && self.bulk_id.as_deref() == Some(name)
    }

    fn run(&self, context: &mut RequestContext<'_>, made: &mut Made) -> Value {
        let outcome = self.perform(context, made);
        if let Some(name) = self.bulk_id.as_deref().filter(|name| self.makes(name)) {
            let id = match &outcome {
                Ok((_, id, Done::Created(_))) => Some(id.clone()),
                _ => None,
            };
            made.insert(name.to_owned(), id);
        }
        let (kind, id, done) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.failed(&error),
        };
        let status = match done {
            Done::Created(_) => "201",
            Done::Kept(_) => "200",
            Done::Deleted => "204",
        };
        let mut result = self.result(status);
        result["location"] = json!(shape::location(context, kind, &id));
        if let Ok(resource) = context.find(kind, &id)
            && context.state.behaviour.etag
        {
            result["version"] = json!(shape::version(resource));
        }
        result
    }

    fn perform(
        &self,
        context: &mut RequestContext<'_>,
        made: &Made,
    ) -> Result<(Kind, String, Done), ScimError> {
        let method = self.method.to_ascii_uppercase();
        if method == "POST" && self.bulk_id.is_none() {
            return Err(ScimError::syntax("A POST needs a bulkId."));
        }
        let mut parts = self.path.split('/').filter(|it| !it.is_empty());
        let kind = parts.next().and_then(Kind::of_endpoint);
        let kind = kind.ok_or_else(|| ScimError::missing(&self.path))?;
        let id = parts.next().map(|id| resolved(id, made)).transpose()?;
        if parts.next().is_some() {
            return Err(ScimError::missing(&self.path));
        }
        let mut data = self.data.clone();
        if let Some(data) = &mut data {
            resolve(data, made)?;
        }
        let change = Change {
            method: &method,
            kind,
            id: id.as_deref(),
            body: data.as_ref(),
            version: self.version.as_deref(),
        };
        let done = write::perform(context, &change)?;
        let id = match &done {
            Done::Created(id) | Done::Kept(id) => id.clone(),
            Done::Deleted => id.unwrap_or_default(),
        };
        Ok((kind, id, done))
    }

    fn result(&self, status: &str) -> Value {
        let mut result = json!({"method": self.method, "status": status});
        if let Some(id) = &self.bulk_id {
            result["bulkId"] = json!(id);
        }
        result
    }

    fn failed(&self, error: &ScimError) -> Value {
        let mut result = self.result(&error.status.to_string());
        result["response"] = error.body();
        if !self.path.contains(REFERENCE) && !self.method.eq_ignore_ascii_case("POST") {
            result["location"] = json!(self.path);
        }
        result
    }
}

/// Collects the names in all references in a value.
fn references<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => names.extend(text.strip_prefix(REFERENCE)),
        Value::Array(values) => values.iter().for_each(|it| references(it, names)),
        Value::Object(fields) => fields.values().for_each(|it| references(it, names)),
        _ => {}
    }
}

/// Replaces all references in a value by ids.
fn resolve(value: &mut Value, made: &Made) -> Result<(), ScimError> {
    match value {
        Value::String(text) => *text = resolved(text, made)?,
        Value::Array(values) => values.iter_mut().try_for_each(|it| resolve(it, made))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|it| resolve(it, made))?,
        _ => {}
    }
    Ok(())
}

fn resolved(text: &str, made: &Made) -> Result<String, ScimError> {
    let Some(name) = text.strip_prefix(REFERENCE) else {
        return Ok(text.to_owned());
    };
    let id = made.get(name).cloned().flatten();
    id.ok_or_else(|| ScimError::value(format!("'{text}' refers to nothing that was made.")))
}
