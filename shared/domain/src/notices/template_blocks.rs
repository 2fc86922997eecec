//! The parts of every message, read from the template of its language.
//!
//! Each language has one template, whose lines begin with a mark for the kind of part. Values never
//! begin a line and never contain a line break, so that text entered by users cannot become another
//! part.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use super::kind::NoticeKind;
use super::language::Language;
use super::recurrence;

/// A label and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
}

/// A label and its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Link {
    pub(super) label: String,
    pub(super) address: String,
    /// The escaped address for the `href` attribute, if it may be a link.
    pub(super) href: Option<String>,
}

/// The parts of every message; the layouts arrange them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Parts {
    pub(super) subject: String,
    pub(super) lead: String,
    pub(super) facts: Vec<Fact>,
    pub(super) points: Vec<String>,
    pub(super) after: Vec<String>,
    pub(super) links: Vec<Link>,
    pub(super) footer: Vec<String>,
}

const TEXTS: [&str; 6] = [
    include_str!("lang/en.jinja"),
    include_str!("lang/de.jinja"),
    include_str!("lang/fr.jinja"),
    include_str!("lang/es.jinja"),
    include_str!("lang/nl.jinja"),
    include_str!("lang/da.jinja"),
];

type Book = Result<Environment<'static>, Error>;

static BOOKS: LazyLock<[Book; 6]> = LazyLock::new(|| Language::ALL.map(book));

/// Creates the template environment of a language, with its filters for numbers and times.
fn book(language: Language) -> Book {
    let mut book = Environment::new();
    // A missing value must fail the tests instead of leaving a gap in a message.
    book.set_undefined_behavior(UndefinedBehavior::Strict);
    book.set_auto_escape_callback(|_| AutoEscape::None);
    book.add_filter("n", move |number: i128, one: String, many: String| {
        language.count(number, &one, &many)
    });
    book.add_filter("moment", move |at: String, zone: Option<String>| {
        let zone = zone.as_deref().unwrap_or("UTC");
        Ok::<_, Error>(recurrence::moment(language, read(&at)?, zone))
    });
    book.add_filter("span", move |start: String, end: String, zone: String| {
        let (start, end) = (read(&start)?, read(&end)?);
        Ok::<_, Error>(recurrence::span(language, start, end, &zone))
    });
    book.add_template("all", TEXTS[language as usize])?;
    Ok(book)
}

fn read(at: &str) -> Result<DateTime<Utc>, Error> {
    at.parse()
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "invalid time"))
}

impl Parts {
    /// Renders the parts of a notice in a language.
    pub(super) fn of(about: &NoticeKind, language: Language) -> Result<Self, String> {
        let book = BOOKS[language as usize]
            .as_ref()
            .map_err(ToString::to_string)?;
        let mut values = serde_json::to_value(about).map_err(|error| error.to_string())?;
        flatten(&mut values);
        let text = book
            .get_template("all")
            .and_then(|template| template.render(Serde(&values)))
            .map_err(|error| error.to_string())?;
        let mut parts = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            parts.add(line)?;
        }
        if parts.subject.is_empty() || parts.lead.is_empty() {
            return Err(format!("the template has no text in {language:?}"));
        }
        Ok(parts)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let (mark, rest) = line.split_at_checked(1).unwrap_or_default();
        let rest = rest.trim().to_owned();
        // An unknown value (no room, no code) must not leave an empty part.
        if rest.is_empty() {
            return Ok(());
        }
        match mark {
            "#" => self.subject = rest.chars().take(200).collect(),
            "=" => self.lead = rest,
            "-" => self.points.push(rest),
            "." => self.after.push(rest),
            "?" => self.footer.push(rest),
            ":" => {
                if let Some((label, value)) = labelled(&rest) {
                    self.facts.push(Fact { label, value });
                }
            }
            ">" => {
                if let Some((label, address)) = labelled(&rest) {
                    let href = href(&address);
                    self.links.push(Link {
                        label,
                        address,
                        href,
                    });
                }
            }
            _ => return Err(format!("a template line has no known mark: {line}")),
        }
        Ok(())
    }
}

/// Splits a label from its value; returns `None` if the value is empty.
fn labelled(line: &str) -> Option<(String, String)> {
    let (label, value) = line.split_once('|')?;
    let (label, value) = (label.trim(), value.trim());
    (!value.is_empty()).then(|| (label.to_owned(), value.to_owned()))
}

/// Escapes an address that may be a link: HTTPS, or HTTP on the reader's own machine. All others (a
/// script, a file, a disguised host) remain text.
fn href(address: &str) -> Option<String> {
    let is_plain = address
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\'));
    let (host, is_local) = match address.split_once("://")? {
        ("https", rest) => (rest, false),
        ("http", rest) => (rest, true),
        _ => return None,
    };
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let is_known = !is_local || matches!(host.split(':').next(), Some("127.0.0.1" | "localhost"));
    // The text before an `@` is not the host, even if it looks like one.
    (is_plain && is_known && !host.is_empty() && !host.contains('@'))
        .then(|| address.replace('&', "&amp;"))
}

/// Reduces every text within a value to one line.
fn flatten(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = one_line(text),
        serde_json::Value::Array(all) => all.iter_mut().for_each(flatten),
        serde_json::Value::Object(all) => all.values_mut().for_each(flatten),
        _ => {}
    }
}

/// Removes line breaks, which could look like a new header or paragraph, and marks that change the
/// reading direction.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|c| match c {
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_can_be_followed() {
        for (address, expected) in [
            (
                "https://rollcall.example/a?b=1&c=2",
                Some("https://rollcall.example/a?b=1&amp;c=2"),
            ),
            ("http://127.0.0.1:8080/x", Some("http://127.0.0.1:8080/x")),
            ("http://localhost/", Some("http://localhost/")),
            ("http://localhost", Some("http://localhost")),
            ("http://localhost.evil.example/", None),
            ("http://127.0.0.1:80@evil.example/", None),
            ("https://rollcall.example@evil.example/", None),
            ("http://rollcall.example/", None),
            ("https://", None),
            ("javascript:alert(1)", None),
            ("https://a.example/\"onclick=\"x", None),
            ("https://a.example/ b", None),
            ("rollcall.example", None),
        ] {
            assert_eq!(href(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn what_people_wrote_is_one_line() {
        assert_eq!(one_line("a\r\nb\u{2028}c\u{202e}d"), "a  b cd");
    }
}
