//! RFC 9457 problem details: the form of errors in HTTP responses.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::problem::Problem;
use serde::Serialize;

/// The maximum number of invalid fields in one response.
const MAX_TOLD: usize = 200;

/// The endpoint for setting up a missing part: the path to post to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub enum Connect {
    /// The connection to the directory (S0-14).
    #[serde(rename = "/v1/connections/entra/connect")]
    Directory,
}

/// An error in an API response. It states what to do and contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProblemDetails {
    /// The type of the problem, for programs: a URN such as `urn:rollcall:locked`, or `about:blank`
    /// if the status is sufficient.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// The type of the problem, in a few words.
    pub title: String,
    /// The cause, and what to do.
    pub detail: String,
    /// Every invalid field with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Problem>,
    /// The endpoint for setting up the missing part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
    /// The time in seconds after which a retry is useful.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl ProblemDetails {
    /// Returns a problem without invalid fields.
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

    /// Sets the type; `name` is an identifier of this service, such as `locked`.
    #[must_use]
    pub fn of_kind(mut self, name: &str) -> Self {
        self.kind = format!("urn:rollcall:{name}");
        self
    }

    /// Sets the endpoint for setting up the missing part.
    #[must_use]
    pub fn connect_at(mut self, place: Connect) -> Self {
        self.connect = Some(place);
        self
    }

    /// Sets the time in seconds after which a retry is useful.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Lists the invalid fields: 200 at most. More would not help, and a response must fit the
    /// limits of a function.
    #[must_use]
    pub fn with(mut self, mut errors: Vec<Problem>) -> Self {
        errors.truncate(MAX_TOLD);
        self.errors = errors;
        self
    }

    /// Returns a problem with all invalid fields.
    pub fn invalid(errors: Vec<Problem>) -> Self {
        let problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Some fields are invalid; each is listed with its place.",
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
