//! RFC 9457 problem details: how errors reach people over HTTP.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::problem::Problem;
use serde::Serialize;

/// So many wrong fields are told in one answer.
const MAX_TOLD: usize = 200;

/// Where something that is missing is begun: the path to post to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub enum Connect {
    /// The connection to the directory (S0-14).
    #[serde(rename = "/v1/connections/entra/connect")]
    Directory,
}

/// An error as the API answers it. It says what to do and holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProblemDetails {
    /// What kind of problem, for programs: a URN such as `urn:rollcall:locked`;
    /// `about:blank` when the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What kind of problem, in few words.
    pub title: String,
    /// What happened here, and the way out.
    pub detail: String,
    /// Every wrong field with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Problem>,
    /// Where to begin what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
    /// Seconds after which trying again makes sense.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl ProblemDetails {
    /// A problem without fields.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            connect: None,
            retry_after: None,
        }
    }

    /// Names the kind; `name` is a word of this service, such as `locked`.
    #[must_use]
    pub fn of_kind(mut self, name: &str) -> Self {
        self.kind = format!("urn:rollcall:{name}");
        self
    }

    /// Says where to begin what is missing.
    #[must_use]
    pub fn connect_at(mut self, place: Connect) -> Self {
        self.connect = Some(place);
        self
    }

    /// Says after how many seconds trying again makes sense.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Lists what is wrong: two hundred at most. What is wrong a thousand times need
    /// not be told so often, and an answer has to fit what a function may give back.
    #[must_use]
    pub fn with(mut self, mut errors: Vec<Problem>) -> Self {
        errors.truncate(MAX_TOLD);
        self.errors = errors;
        self
    }

    /// Wrong fields, all at once.
    pub fn invalid(errors: Vec<Problem>) -> Self {
        let problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Some fields are not right; each is listed with its place.",
        );
        problem.of_kind("invalid").with(errors)
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_says_when_to_come_back() {
        let mut problem =
            ProblemDetails::new(StatusCode::LOCKED, "The tenant is locked for maintenance.");
        problem.retry_after = Some(30);
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::LOCKED);
        assert_eq!(response.headers()[header::RETRY_AFTER], "30");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}
