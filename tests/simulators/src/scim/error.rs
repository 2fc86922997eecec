//! SCIM's error body with its machine-readable types.

use serde_json::{Value, json};

use crate::call::Reply;

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An error response.
#[derive(Debug)]
pub(super) struct ScimError {
    pub(super) status: u16,
    kind: Option<&'static str>,
    detail: String,
}

impl ScimError {
    /// An error without a type.
    pub(super) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: None,
            detail: detail.into(),
        }
    }

    /// 400 with a type, e.g. `invalidPath`.
    pub(super) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: Some(kind),
            detail: detail.into(),
        }
    }

    /// 400 `invalidValue`.
    pub(super) fn value(detail: impl Into<String>) -> Self {
        Self::bad("invalidValue", detail)
    }

    /// 400 `invalidSyntax`.
    pub(super) fn syntax(detail: impl Into<String>) -> Self {
        Self::bad("invalidSyntax", detail)
    }

    /// 404 that contains the id.
    pub(super) fn missing(id: &str) -> Self {
        Self::new(404, format!("Resource {id} not found."))
    }

    /// 409 for a `userName` that is in use.
    pub(super) fn taken(name: &str) -> Self {
        Self {
            status: 409,
            kind: Some("uniqueness"),
            detail: format!("The userName '{name}' is in use."),
        }
    }

    /// Returns the error as a document.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "schemas": [ERROR],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = json!(kind);
        }
        body
    }

    /// Converts the error into a response.
    pub(super) fn into_reply(self) -> Reply {
        super::reply(self.status, self.body())
    }
}
