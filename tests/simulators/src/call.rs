//! A request and its response, sent alone or as a part of a `$batch`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request in the form used by the handlers.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Upper-case method.
    pub(crate) method: String,
    /// Path and query as sent, with the simulator's prefix.
    pub(crate) target: String,
    /// Decoded path segments after the prefix.
    pub(crate) segments: Vec<String>,
    /// Decoded query pairs in order.
    pub(crate) query: Vec<(String, String)>,
    /// Headers by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body as text; empty if there is none.
    pub(crate) body: String,
}

impl Call {
    /// Splits `target` (`/prefix/a/b?x=y`) into decoded segments and query pairs.
    pub(crate) fn new(
        method: &str,
        target: &str,
        headers: BTreeMap<String, String>,
        body: String,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments = path.split('/').filter(|part| !part.is_empty()).skip(1);
        Self {
            method: method.to_ascii_uppercase(),
            target: target.to_owned(),
            segments: segments
                .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                .collect(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers,
            body,
        }
    }

    /// Returns the decoded path segments, for use in slice patterns.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Returns a query parameter; the name is compared ignoring case.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns a header by lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the body as JSON, if it is valid JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// Returns whether the request is a write.
    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// The response of a handler.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Extra headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: Payload,
}

/// Body of a [`Reply`].
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// No body.
    Empty,
    /// A JSON document.
    Json(Value),
    /// Plain text (`/$count`).
    Text(String),
    /// An HTML page.
    Html(String),
    /// Bytes with the type in the `content-type` header.
    Bytes(Vec<u8>),
    /// Truncated JSON.
    Broken(String),
    /// No response: the connection is closed.
    Hangup,
}

impl Reply {
    /// Returns a JSON response.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Payload::Json(body),
        }
    }

    /// Returns true if it is a page that another one follows.
    pub(crate) fn has_next_link(&self) -> bool {
        matches!(&self.body, Payload::Json(body) if body.get("@odata.nextLink").is_some())
    }

    /// Returns a response without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Payload::Empty,
        }
    }

    /// Returns a plain-text response with status 200.
    pub(crate) fn text(text: String) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: Payload::Text(text),
        }
    }

    /// Returns bytes of a type (`image/jpeg`) with status 200.
    pub(crate) fn bytes(kind: &str, bytes: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: Payload::Bytes(bytes),
        }
    }

    /// Returns an HTML page.
    pub(crate) fn html(status: u16, page: String) -> Self {
        Self {
            status,
            headers: vec![("cache-control".to_owned(), "no-store".to_owned())],
            body: Payload::Html(page),
        }
    }

    /// Redirects the browser.
    pub(crate) fn redirect(location: String) -> Self {
        Self::empty(302).header("location", location)
    }

    /// Closes the connection without a response; logged with status 0.
    pub(crate) fn hangup() -> Self {
        Self {
            status: 0,
            headers: Vec::new(),
            body: Payload::Hangup,
        }
    }

    /// Returns the response with an additional header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_segments_after_splitting() {
        let call = Call::new(
            "get",
            "/learn365/odata/v2/Users('i%3A0%23.f%7Ca%2Fb')?$top=1&%24filter=a+eq+1",
            BTreeMap::new(),
            String::new(),
        );
        assert_eq!(call.path(), ["odata", "v2", "Users('i:0#.f|a/b')"]);
        assert_eq!(call.param("$filter"), Some("a eq 1"));
        assert_eq!(call.method, "GET");
    }
}
