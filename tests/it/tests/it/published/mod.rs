//! Everything others read, frozen word by word: a change to it shows up as a changed snapshot.

mod document;
mod permissions;
mod problems;

use std::fmt::Write;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::harness::{Admin, Answer};

/// Headers that belong to what an answer says.
const HEADERS: [&str; 6] = [
    "content-type",
    "retry-after",
    "www-authenticate",
    "etag",
    "allow",
    "location",
];

/// What differs from run to run, and what stands for it in a snapshot. Ids and
/// moments that a text shows as examples, and those of the tests, stay.
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

/// Parts of what is found that make it stay.
const STAYING: [&str; 4] = ["such as ", "000000000bad", "000000000000", "2020-01-01"];

/// A text without what differs from run to run.
fn steady(text: &str) -> String {
    CHANGING
        .iter()
        .fold(text.to_owned(), |text, (pattern, stand_in)| {
            let pattern = Regex::new(pattern).expect("a pattern");
            let stays = |found: &str| STAYING.iter().any(|part| found.contains(part));
            let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
                let found = &found[0];
                let kept = if stays(found) { found } else { *stand_in };
                kept.to_owned()
            });
            replaced.into_owned()
        })
}

/// Answers of the API, one below the other.
#[derive(Default)]
struct Told {
    text: String,
}

impl Told {
    /// Adds an answer under a headline.
    fn add(&mut self, headline: &str, answer: &Answer) {
        writeln!(self.text, "## {headline}\n{}", answer.status).expect("written");
        for name in HEADERS {
            let counts_down = answer.body["type"] == "urn:rollcall:started-already";
            match answer.header(name) {
                "" => {}
                _ if counts_down && name == "retry-after" => {
                    writeln!(self.text, "{name}: [seconds]").expect("written");
                }
                value => writeln!(self.text, "{name}: {value}").expect("written"),
            }
        }
        let body = serde_json::to_string_pretty(&answer.body).expect("JSON");
        writeln!(self.text, "{body}\n").expect("written");
    }

    /// Asks, and adds the answer. `request` is a method and a path; an empty tag
    /// sends no `If-Match`.
    async fn ask(
        &mut self,
        headline: &str,
        who: &Admin,
        request: &str,
        tag: &str,
        body: Option<Value>,
    ) -> Answer {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let condition = [("if-match", tag)];
        let headers = if tag.is_empty() { &[][..] } else { &condition };
        let answer = who.send(method, path, body, headers).await;
        self.add(&format!("{headline}\n{request}"), &answer);
        answer
    }

    /// The same for an answer that must be a problem.
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

    /// All of it, the same in every run.
    fn steady(&self) -> String {
        steady(&self.text)
    }
}

/// JSON with a line for each part, everything else as it was sent: names in their
/// order, numbers in their form.
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
