//! Reads a JSON body field by field, so that a response lists all invalid fields at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::ProblemDetails;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::deserialize_error::plain;
use crate::error::ApiError;

/// The maximum size of a body in bytes: the largest profile that can be stored, with room
/// for indentation.
pub const MAX_BODY: usize = 512 * 1_024;

/// A JSON object that is being read.
#[derive(Debug)]
pub(crate) struct JsonBody {
    object: Map<String, Value>,
    problems: Vec<Problem>,
    prefix: String,
}

impl JsonBody {
    /// Returns a body for a value at a JSON pointer of the document.
    pub(crate) fn over(value: Value, prefix: &str) -> Result<Self, Problem> {
        match value {
            Value::Object(object) => Ok(Self {
                object,
                problems: Vec::new(),
                prefix: prefix.to_owned(),
            }),
            _ => Err(Problem::at(prefix, "must be a JSON object")),
        }
    }

    /// Returns a body for a separate document, whose pointers begin at its root.
    pub(crate) fn document(object: Map<String, Value>) -> Self {
        Self {
            object,
            problems: Vec::new(),
            prefix: String::new(),
        }
    }

    /// Ignores fields that responses add to a document, so that a client can change and
    /// send back what it read.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.object.remove(*name);
        }
    }

    /// Returns true if a field exists, even if it is `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Reads a required field.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if self.object.contains_key(name) {
            return self.read(name);
        }
        let pointer = self.pointer(name);
        self.problem(pointer, format!("{name} is required"));
        None
    }

    /// Reads a field that may be absent or `null`.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        match self.object.get(name) {
            None | Some(Value::Null) => {
                self.object.remove(name);
                None
            }
            Some(_) => self.read(name),
        }
    }

    /// Reads a text that may be absent or `null`. Problems do not contain its value.
    pub(crate) fn secret(&mut self, name: &str) -> Option<String> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                let pointer = self.pointer(name);
                self.problem(pointer, "must be a text");
                None
            }
        }
    }

    /// Reads a field that may be absent and then has its type's default.
    pub(crate) fn or_default<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        if self.object.contains_key(name) {
            self.read(name).unwrap_or_default()
        } else {
            T::default()
        }
    }

    /// Reads a nested object with `read` and adds its problems to this body.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let value = self.object.remove(name).filter(|value| !value.is_null())?;
        match Self::over(value, &self.pointer(name)) {
            Ok(mut inner) => {
                let found = read(&mut inner);
                let clean = inner.reject_unknown_fields();
                self.problems.extend(inner.problems);
                found.filter(|_| clean)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Takes a required nested object that is read as a separate document: pointers to its
    /// problems begin at its own root.
    pub(crate) fn object(&mut self, name: &str) -> Map<String, Value> {
        if let Some(Value::Object(object)) = self.object.remove(name) {
            return object;
        }
        let pointer = self.pointer(name);
        self.problem(pointer, "must be a JSON object");
        Map::new()
    }

    /// Records a problem.
    pub(crate) fn problem(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Problem::at(pointer, detail));
    }

    /// Returns true if a problem was recorded at a pointer or below it.
    pub(crate) fn is_wrong(&self, pointer: &str) -> bool {
        let within = |problem: &Problem| {
            let rest = problem.pointer.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.problems.iter().any(within)
    }

    /// Finishes reading: remaining unknown fields are problems, too.
    ///
    /// # Errors
    /// All recorded problems.
    pub(crate) fn finish(mut self) -> Result<(), Vec<Problem>> {
        if self.reject_unknown_fields() {
            Ok(())
        } else {
            Err(self.problems)
        }
    }

    /// Finishes reading an input, which is `None` only if a problem was recorded.
    ///
    /// # Errors
    /// All recorded problems.
    pub(crate) fn complete<T>(self, input: Option<T>) -> Result<T, ApiError> {
        self.finish()?;
        input.ok_or(ApiError::Inconsistent)
    }

    /// Records unknown fields; returns true if there is no problem at all.
    fn reject_unknown_fields(&mut self) -> bool {
        let unknown: Vec<String> = self.object.keys().cloned().collect();
        for name in unknown {
            let pointer = self.pointer(&name);
            self.problem(pointer, "this field does not exist; remove it");
        }
        self.object.clear();
        self.problems.is_empty()
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.prefix, escape(name))
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.object.remove(name)?;
        match serde_path_to_error::deserialize(value) {
            Ok(value) => Some(value),
            Err(error) => {
                let prefix = self.pointer(name);
                let path: String = error.path().iter().map(step).collect();
                self.problem(
                    format!("{prefix}{path}"),
                    plain(&error.into_inner().to_string()),
                );
                None
            }
        }
    }
}

/// Returns one step of a JSON pointer (RFC 6901).
fn step(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

fn escape(name: &str) -> String {
    let name: String = name.chars().take(64).collect();
    name.replace('~', "~0").replace('/', "~1")
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let untyped = !request.headers().contains_key(CONTENT_TYPE);
        if !untyped && !is_json(request.headers()) {
            return Err(not_json());
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|refused| {
                let detail = match refused.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => {
                        format!("The body may contain at most {MAX_BODY} bytes.")
                    }
                    _ => "The body could not be read.".to_owned(),
                };
                ApiError::from(ProblemDetails::new(refused.status(), detail))
            })?;
        if bytes.is_empty() {
            // An empty body is read as an empty object; missing fields are reported one by one.
            return Ok(Self::document(Map::new()));
        }
        if untyped {
            return Err(not_json());
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let detail = format!(
                "The body is not valid JSON: line {}, column {}.",
                error.line(),
                error.column()
            );
            ApiError::from(ProblemDetails::new(StatusCode::BAD_REQUEST, detail))
        })?;
        Ok(Self::over(value, "")?)
    }
}

fn not_json() -> ApiError {
    let detail = "The body must be JSON: send it with Content-Type: application/json.";
    ProblemDetails::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).into()
}

/// Returns true for `application/json` with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return false;
    };
    value.to_str().is_ok_and(|value| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::base::throttle::Throttle;
    use serde_json::json;

    fn form(value: Value) -> JsonBody {
        JsonBody::over(value, "").expect("not an object")
    }

    fn problems(form: JsonBody) -> Vec<(String, String)> {
        let problems = form.finish().expect_err("no problems found");
        problems
            .into_iter()
            .map(|problem| (problem.pointer, problem.detail))
            .collect()
    }

    #[test]
    fn everything_wrong_is_reported_at_once_with_its_place() {
        let mut form = form(json!({
            "title": 7, "courses": ["x", 5], "a/b": 1, "throttle": {"maxChanges": -1}
        }));
        assert_eq!(form.required::<String>("title"), None);
        assert_eq!(form.required::<bool>("enroll"), None);
        assert!(form.or_default::<Vec<String>>("courses").is_empty());
        assert_eq!(form.optional::<Throttle>("throttle"), None);
        let problems = problems(form);
        let pointers: Vec<_> = problems.iter().map(|(prefix, _)| prefix.as_str()).collect();
        let expected = [
            "/title",
            "/enroll",
            "/courses/1",
            "/throttle/maxChanges",
            "/a~1b",
        ];
        assert_eq!(pointers, expected);
        assert_eq!(problems[1].1, "enroll is required");
        assert_eq!(
            problems[0].1,
            "invalid type: integer `7`, expected a string"
        );
    }

    #[test]
    fn absent_and_null_are_the_same_where_a_field_is_optional() {
        let mut form = form(json!({"a": null}));
        assert_eq!(form.optional::<u32>("a"), None);
        assert_eq!(form.optional::<u32>("b"), None);
        form.finish().expect("problems found");
    }

    #[test]
    fn problems_of_a_nested_object_carry_its_place() {
        let mut form = form(json!({"app": {"id": 1, "more": 2}, "other": 3}));
        let app = form.nested("app", |inner| inner.required::<String>("id"));
        assert_eq!(app, None);
        assert_eq!(form.nested("other", |_| Some(())), None);
        assert_eq!(form.nested("absent", |_| Some(())), None);
        let pointers: Vec<_> = problems(form)
            .into_iter()
            .map(|(prefix, _)| prefix)
            .collect();
        assert_eq!(pointers, ["/app/id", "/app/more", "/other"]);
    }
}
