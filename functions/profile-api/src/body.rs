//! Reads a JSON body field by field, so that everything wrong with it is told at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::ProblemDetails;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::error::ApiError;

/// Largest body taken, in bytes: the largest profile that can be stored, and
/// room for how people's programs indent.
pub const MAX_BODY: usize = 512 * 1_024;

/// A JSON object that is being read.
#[derive(Debug)]
pub(crate) struct JsonBody {
    object: Map<String, Value>,
    problems: Vec<Problem>,
    place: String,
}

impl JsonBody {
    /// A form over a value that stands at a place of the document.
    pub(crate) fn over(value: Value, place: &str) -> Result<Self, Problem> {
        match value {
            Value::Object(object) => Ok(Self {
                object,
                problems: Vec::new(),
                place: place.to_owned(),
            }),
            _ => Err(Problem::at(place, "must be a JSON object")),
        }
    }

    /// A document of its own.
    pub(crate) fn document(object: Map<String, Value>) -> Self {
        Self {
            object,
            problems: Vec::new(),
            place: String::new(),
        }
    }

    /// Leaves out what an answer of ours adds to a document, so that what was read
    /// can be changed and sent back whole.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.object.remove(*name);
        }
    }

    /// Whether a field is there, be it `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// A field that has to be there.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if self.object.contains_key(name) {
            return self.read(name);
        }
        let pointer = self.pointer(name);
        self.problem(pointer, format!("{name} is required"));
        None
    }

    /// A field that may be absent or `null`.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        match self.object.get(name) {
            None | Some(Value::Null) => {
                self.object.remove(name);
                None
            }
            Some(_) => self.read(name),
        }
    }

    /// A text that may be absent or `null`, and that no problem ever repeats.
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

    /// A field that may be absent; then it is what its type begins with.
    pub(crate) fn or_default<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        if self.object.contains_key(name) {
            self.read(name).unwrap_or_default()
        } else {
            T::default()
        }
    }

    /// An object within this one, read by `read`; its problems join these.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let value = self.object.remove(name).filter(|value| !value.is_null())?;
        match Self::over(value, &self.pointer(name)) {
            Ok(mut inner) => {
                let found = read(&mut inner);
                let clean = inner.settle();
                self.problems.extend(inner.problems);
                found.filter(|_| clean)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// An object within this one that has to be there, to be read as a document of
    /// its own: its problems do not carry its place.
    pub(crate) fn object(&mut self, name: &str) -> Map<String, Value> {
        if let Some(Value::Object(object)) = self.object.remove(name) {
            return object;
        }
        let pointer = self.pointer(name);
        self.problem(pointer, "must be a JSON object");
        Map::new()
    }

    /// Notes a problem.
    pub(crate) fn problem(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Problem::at(pointer, detail));
    }

    /// Whether a problem was noted at a place or within it.
    pub(crate) fn is_wrong(&self, pointer: &str) -> bool {
        let within = |problem: &Problem| {
            let rest = problem.pointer.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.problems.iter().any(within)
    }

    /// Ends the reading: fields nobody asked for are problems too.
    ///
    /// # Errors
    /// Every problem that was noted.
    pub(crate) fn finish(mut self) -> Result<(), Vec<Problem>> {
        if self.settle() {
            Ok(())
        } else {
            Err(self.problems)
        }
    }

    /// Ends the reading of an input, which is `None` only if a problem was noted.
    ///
    /// # Errors
    /// Every problem that was noted.
    pub(crate) fn complete<T>(self, input: Option<T>) -> Result<T, ApiError> {
        self.finish()?;
        input.ok_or(ApiError::Inconsistent)
    }

    /// Notes unknown fields; whether there is no problem at all.
    fn settle(&mut self) -> bool {
        let unknown: Vec<String> = self.object.keys().cloned().collect();
        for name in unknown {
            let pointer = self.pointer(&name);
            self.problem(pointer, "there is no such field; take it out");
        }
        self.object.clear();
        self.problems.is_empty()
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.place, escape(name))
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.object.remove(name)?;
        match serde_path_to_error::deserialize(value) {
            Ok(value) => Some(value),
            Err(error) => {
                let place = self.pointer(name);
                let path: String = error.path().iter().map(step).collect();
                self.problem(
                    format!("{place}{path}"),
                    plain(&error.into_inner().to_string()),
                );
                None
            }
        }
    }
}

/// One step of a JSON pointer (RFC 6901).
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

/// The library's sentence in words for people: without the place in a text nobody
/// wrote and without names of types. Long values that it repeats are cut.
pub(crate) fn plain(text: &str) -> String {
    let mut text = text
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    for (theirs, ours) in [
        ("expected u32", "expected a whole number from 0 on"),
        ("expected u64", "expected a whole number from 0 on"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected struct ", "expected an object: "),
        ("UUID parsing failed", "expected a GUID"),
        ("unknown variant", "unknown value"),
        (
            "invalid digit found in string",
            "expected a whole number from 0 on",
        ),
        (
            "provided string was not `true` or `false`",
            "expected true or false",
        ),
    ] {
        text = text.replace(theirs, ours);
    }
    text.chars().take(300).collect()
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
                        format!("The body may be {MAX_BODY} bytes long at most.")
                    }
                    _ => "The body could not be read.".to_owned(),
                };
                ApiError::from(ProblemDetails::new(refused.status(), detail))
            })?;
        if bytes.is_empty() {
            // Nothing sent is nothing said: what is required is told field by field.
            return Ok(Self::document(Map::new()));
        }
        if untyped {
            return Err(not_json());
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let detail = format!(
                "The body is no JSON that can be read: line {}, column {}.",
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

/// `application/json`, with whatever parameters.
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
        JsonBody::over(value, "").expect("an object")
    }

    fn told(form: JsonBody) -> Vec<(String, String)> {
        let problems = form.finish().expect_err("problems");
        problems
            .into_iter()
            .map(|problem| (problem.pointer, problem.detail))
            .collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        let mut form = form(json!({
            "title": 7, "courses": ["x", 5], "a/b": 1, "throttle": {"maxChanges": -1}
        }));
        assert_eq!(form.required::<String>("title"), None);
        assert_eq!(form.required::<bool>("enroll"), None);
        assert!(form.or_default::<Vec<String>>("courses").is_empty());
        assert_eq!(form.optional::<Throttle>("throttle"), None);
        let told = told(form);
        let places: Vec<_> = told.iter().map(|(place, _)| place.as_str()).collect();
        let expected = [
            "/title",
            "/enroll",
            "/courses/1",
            "/throttle/maxChanges",
            "/a~1b",
        ];
        assert_eq!(places, expected);
        assert_eq!(told[1].1, "enroll is required");
        assert_eq!(told[0].1, "invalid type: integer `7`, expected a string");
    }

    #[test]
    fn absent_and_null_are_the_same_where_a_field_is_optional() {
        let mut form = form(json!({"a": null}));
        assert_eq!(form.optional::<u32>("a"), None);
        assert_eq!(form.optional::<u32>("b"), None);
        form.finish().expect("nothing wrong");
    }

    #[test]
    fn problems_of_a_nested_object_carry_its_place() {
        let mut form = form(json!({"app": {"id": 1, "more": 2}, "other": 3}));
        let app = form.nested("app", |inner| inner.required::<String>("id"));
        assert_eq!(app, None);
        assert_eq!(form.nested("other", |_| Some(())), None);
        assert_eq!(form.nested("absent", |_| Some(())), None);
        let places: Vec<_> = told(form).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["/app/id", "/app/more", "/other"]);
    }
}
