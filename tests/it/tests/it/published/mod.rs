//! Snapshots of all published texts and documents, so that every change of them is visible.

mod checks;
mod command;
mod document;
mod permissions;
mod problems;
mod texts;

use std::fmt::Write;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::harness::{Admin, Answer};

/// Headers that are part of a response's content.
const HEADERS: [&str; 6] = [
    "content-type",
    "retry-after",
    "www-authenticate",
    "etag",
    "allow",
    "location",
];

/// Patterns of values that differ between runs, and their replacements in snapshots. Ids and times
/// that are examples in a text, and those of the tests, are not replaced.
const CHANGING: [(&str, &str); 6] = [
    (
        "(such as )?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{12})",
        "[id]",
    ),
    (
        r"(such as )?20[23][0-9]-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)",
        "[moment]",
    ),
    (r"127\.0\.0\.1:[0-9]+", "127.0.0.1:[port]"),
    (r"127\.0\.0\.1%3A[0-9]+", "127.0.0.1%3A[port]"),
    ("state=[A-Za-z0-9_-]{20,}", "state=[random]"),
    ("signIn=[A-Za-z0-9_-]{20,}", "signIn=[random]"),
];

/// Parts that exclude a match from being replaced.
const STAYING: [&str; 4] = ["such as ", "000000000bad", "000000000000", "2020-01-01"];

/// Replaces the values that differ between runs.
fn steady(text: &str) -> String {
    CHANGING
        .iter()
        .fold(text.to_owned(), |text, (pattern, stand_in)| {
            let pattern = Regex::new(pattern).expect("invalid pattern");
            let stays = |found: &str| STAYING.iter().any(|part| found.contains(part));
            let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
                let found = &found[0];
                let kept = if stays(found) { found } else { *stand_in };
                kept.to_owned()
            });
            replaced.into_owned()
        })
}

/// Responses of the API, in order.
#[derive(Default)]
struct Told {
    text: String,
}

impl Told {
    /// Adds a response under a headline.
    fn add(&mut self, headline: &str, answer: &Answer) {
        writeln!(self.text, "## {headline}\n{}", answer.status).expect("text not written");
        for name in HEADERS {
            let counts_down = answer.body["type"] == "urn:rollcall:started-already";
            match answer.header(name) {
                "" => {}
                _ if counts_down && name == "retry-after" => {
                    writeln!(self.text, "{name}: [seconds]").expect("text not written");
                }
                value => writeln!(self.text, "{name}: {value}").expect("text not written"),
            }
        }
        let body = serde_json::to_string_pretty(&answer.body).expect("not serialized");
        writeln!(self.text, "{body}\n").expect("text not written");
    }

    /// Sends a request and adds the response. `request` is a method and a path; an empty tag sends
    /// no `If-Match`.
    async fn ask(
        &mut self,
        headline: &str,
        who: &Admin,
        request: &str,
        tag: &str,
        body: Option<Value>,
    ) -> Answer {
        let (method, path) = request.split_once(' ').expect("no method and path");
        let condition = [("if-match", tag)];
        let headers = if tag.is_empty() { &[][..] } else { &condition };
        let answer = who.send(method, path, body, headers).await;
        self.add(&format!("{headline}\n{request}"), &answer);
        answer
    }

    /// The same for a response that must be a problem.
    async fn refused(
        &mut self,
        headline: &str,
        who: &Admin,
        request: &str,
        tag: &str,
        body: Option<Value>,
    ) {
        let answer = self.ask(headline, who, request, tag, body).await;
        assert!(answer.status >= 400, "{headline}: {:#}", answer.body);
        answer.detail();
    }

    /// Returns all responses, without values that differ between runs.
    fn steady(&self) -> String {
        steady(&self.text)
    }
}

/// Formats JSON with one line per part, without changing the order of names or the format of
/// numbers.
fn lines(json: &str) -> String {
    let (mut text, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    let mut chars = json.chars().peekable();
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    while let Some(char) = chars.next() {
        if quoted {
            text.push(char);
            quoted = escaped || char != '"';
            escaped = !escaped && char == '\\';
            continue;
        }
        match char {
            '{' | '[' if chars.peek().is_some_and(|next| matches!(next, '}' | ']')) => {
                text.push(char);
                text.extend(chars.next());
            }
            '{' | '[' => {
                depth += 1;
                text.push(char);
                new_line(&mut text, depth);
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut text, depth);
                text.push(char);
            }
            ',' => {
                text.push(char);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            char if char.is_whitespace() => {}
            char => {
                quoted = char == '"';
                text.push(char);
            }
        }
    }
    text
}

#[test]
fn lines_keep_order_and_texts() {
    let json = r#"{"b":[1.0,{}],"a":"x, \"{y}\\"}"#;
    let expected = "{\n  \"b\": [\n    1.0,\n    {}\n  ],\n  \"a\": \"x, \\\"{y}\\\\\"\n}";
    assert_eq!(lines(json), expected);
}
