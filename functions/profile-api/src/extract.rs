//! Extractors for requests: ids in the path, the query, preconditions and cursors.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use rollcall_runtime::ProblemDetails;
use serde::de::DeserializeOwned;

use crate::deserialize_error::plain;
use crate::error::ApiError;

/// The prefix of axum's error message for a query.
const LIBRARY: &str = "Failed to deserialize query string: ";

/// The parameters of the path. Invalid ones are rejected with 404.
#[derive(Debug)]
pub(crate) struct InPath<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = Path::<T>::from_request_parts(parts, state).await;
        found
            .map(|Path(found)| Self(found))
            .map_err(|_| ApiError::Missing)
    }
}

/// The query. Unknown or invalid parameters are rejected by name.
#[derive(Debug)]
pub(crate) struct InQuery<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(found)) => Ok(Self(found)),
            Err(refused) => Err(ProblemDetails::new(
                StatusCode::BAD_REQUEST,
                format!(
                    "The query cannot be read: {}.",
                    plain(refused.body_text().trim_start_matches(LIBRARY))
                ),
            )
            .into()),
        }
    }
}

/// Returns the `ETag` of a version.
pub(crate) fn etag(version: impl Display) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Returns the version that `If-Match` names (RFC 9110, section 13.1.1).
///
/// # Errors
/// 428 without the header; 412 if its value is not a version.
pub(crate) fn required_version(headers: &HeaderMap) -> Result<u64, ApiError> {
    named_version(headers)?.ok_or_else(|| {
        let detail = "The header If-Match is required: send the ETag of the version that you read.";
        ProblemDetails::new(StatusCode::PRECONDITION_REQUIRED, detail).into()
    })
}

/// Returns the version that `If-Match` names, or `None` without the header.
pub(crate) fn named_version(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    match tags(headers, IF_MATCH).as_slice() {
        [] => Ok(None),
        [tag] => tag.parse().map(Some).map_err(|_| no_version()),
        _ => Err(no_version()),
    }
}

/// Returns the error for an `If-Match` that names no version.
fn no_version() -> ApiError {
    let detail = "If-Match must be the ETag of one version as it was read, such as \"2\".";
    ProblemDetails::new(StatusCode::PRECONDITION_FAILED, detail).into()
}

/// Returns true if `If-None-Match` names this version.
pub(crate) fn has_already(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default().trim_matches('"');
    tags(headers, IF_NONE_MATCH)
        .iter()
        .any(|known| known == tag || known == "*")
}

/// Returns the tags of a header without quotes and weakness prefix.
fn tags(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
    let values = headers.get_all(name).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the opaque cursor for the key of an entry.
pub(crate) fn to_cursor(key: &str) -> String {
    hex::encode(key)
}

/// Returns the key of a cursor.
///
/// # Errors
/// 400 if the cursor is invalid.
pub(crate) fn from_cursor(text: &str) -> Result<String, ApiError> {
    // Keys are at most 1,024 bytes long.
    if text.len() > 2_048 {
        return Err(ApiError::Cursor);
    }
    let bytes = hex::decode(text).map_err(|_| ApiError::Cursor)?;
    String::from_utf8(bytes).map_err(|_| ApiError::Cursor)
}

/// Parses a part of a cursor that is a number or an id.
pub(crate) fn part<T: FromStr>(text: Option<&str>) -> Result<T, ApiError> {
    text.and_then(|text| text.parse().ok())
        .ok_or(ApiError::Cursor)
}

/// Returns the requested page size within the limits, or the default.
pub(crate) fn page_size(asked: Option<u32>) -> usize {
    asked.unwrap_or(50).clamp(1, 200) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_precondition_names_one_version() {
        let status = |error: ApiError| error.into_problem().status;
        let read = |value| named_version(&headers(IF_MATCH, value)).map_err(status);
        assert_eq!(read("\"7\""), Ok(Some(7)));
        assert_eq!(read("W/\"7\""), Ok(Some(7)));
        for wrong in ["\"x\"", "*", "\"7\", \"8\""] {
            assert_eq!(read(wrong), Err(412), "{wrong}");
        }
        let none =
            required_version(&HeaderMap::new()).expect_err("a missing If-Match was accepted");
        assert_eq!(status(none), 428);
    }

    #[test]
    fn what_the_caller_has_is_not_sent_again() {
        let tag = etag("a-1");
        for known in ["\"a-1\"", "\"x\", W/\"a-1\"", "*"] {
            assert!(has_already(&headers(IF_NONE_MATCH, known), &tag), "{known}");
        }
        assert!(!has_already(&headers(IF_NONE_MATCH, "\"a\""), &tag));
    }

    #[test]
    fn a_cursor_is_read_back_and_others_are_refused() {
        assert_eq!(
            from_cursor(&to_cursor("title#straße")).expect("cursor not read back"),
            "title#straße"
        );
        for wrong in ["x", "ff", &"00".repeat(2_000)] {
            let refused = from_cursor(wrong).expect_err("an invalid cursor was accepted");
            assert_eq!(refused.into_problem().status, 400);
        }
    }
}
