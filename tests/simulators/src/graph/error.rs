//! Graph's error object with the codes and texts that clients depend on.

use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

use crate::call::Reply;

/// An error response.
#[derive(Debug)]
pub(crate) struct GraphError {
    status: u16,
    code: &'static str,
    message: String,
    headers: Vec<(String, String)>,
}

impl GraphError {
    /// An error with any status, code and text.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// 400 `Request_BadRequest`.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// 401 `InvalidAuthenticationToken`.
    pub(crate) fn token(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    /// 403 for missing permissions and for read-only targets.
    pub(crate) fn denied() -> Self {
        let text = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", text)
    }

    /// 404 that contains the id; the same text for a missing group, user or membership.
    pub(crate) fn missing(id: impl std::fmt::Display) -> Self {
        let text = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects \
             are not present."
        );
        Self::new(404, "Request_ResourceNotFound", text)
    }

    /// 400 for a group that was created too recently to accept members.
    pub(crate) fn not_replicated() -> Self {
        Self::bad("The source resource object or one of the objects being referenced don't exist.")
    }

    /// 400 when a member is added twice.
    pub(crate) fn already_member() -> Self {
        Self::bad(
            "One or more added object references already exist for the following modified \
             properties: 'members'.",
        )
    }

    /// 400 when a request links more than 20 objects.
    pub(crate) fn too_many_links() -> Self {
        Self::bad("A resource cannot contain more than 20 link changes.")
    }

    /// 400 for a path that is not simulated.
    pub(crate) fn no_route(path: &[&str]) -> Self {
        let text = format!("Resource not found for the segment '{}'.", path.join("/"));
        Self::new(400, "BadRequest", text)
    }

    /// Returns the error with an additional header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Converts the error into a response.
    pub(crate) fn into_reply(self) -> Reply {
        let request_id = Uuid::new_v4();
        let mut reply = Reply::json(
            self.status,
            json!({"error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string(),
                    "request-id": request_id,
                    "client-request-id": request_id,
                },
            }}),
        );
        reply.headers = self.headers;
        reply.header("request-id", request_id.to_string())
    }
}
