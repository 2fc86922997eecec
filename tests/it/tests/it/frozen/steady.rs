//! Comparable forms of stored data: sorted, and without current times and random values.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use serde_json::Value;

/// Tolerance for the start time, because stored times are truncated to seconds.
const MARGIN: TimeDelta = TimeDelta::seconds(2);

static MOMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)").expect("invalid pattern")
});

/// Distinguishes times of the test's samples, which are years ago, from the current time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: DateTime<Utc>,
}

impl Clock {
    /// Starts the clock now.
    pub(super) fn start() -> Self {
        Self {
            began: Utc::now() - MARGIN,
        }
    }

    /// Returns a number of seconds or milliseconds unchanged, or as an interval from now if it was
    /// derived from the current time.
    pub(super) fn number(self, name: &str, number: &str) -> String {
        let Ok(whole) = number.parse::<i64>() else {
            return number.to_owned();
        };
        let at = match name {
            "expires_at" => DateTime::from_timestamp(whole, 0),
            "lease_until" | "first_refresh_due" | "free_at" => {
                DateTime::from_timestamp_millis(whole)
            }
            "version" => DateTime::from_timestamp_micros(whole),
            _ => None,
        };
        match at {
            Some(at) if at >= self.began => after(at - Utc::now()),
            _ => number.to_owned(),
        }
    }

    /// Replaces current times in a text.
    pub(super) fn text(self, text: &str) -> String {
        let replaced = MOMENT.replace_all(text, |found: &regex::Captures<'_>| {
            let at = found[0].parse::<DateTime<Utc>>().ok();
            let now = at.is_some_and(|at| self.began <= at && at <= Utc::now());
            if now { "[now]" } else { &found[0] }.to_owned()
        });
        replaced.into_owned()
    }

    /// Replaces current times in all texts of a document.
    pub(super) fn document(self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Array(parts) => parts.into_iter().map(|part| self.document(part)).collect(),
            Value::Object(parts) => parts
                .into_iter()
                .map(|(name, part)| (name, self.document(part)))
                .collect(),
            other => other,
        }
    }
}

/// Returns an interval as text, rounded up to five minutes because the test takes time.
fn after(span: TimeDelta) -> String {
    let minutes = (span.num_seconds().max(0) + 299) / 300 * 5;
    match (minutes / 1_440, minutes % 1_440) {
        (0, 0) => "[now]".to_owned(),
        (0, rest) => format!("[now + {rest} minutes]"),
        (days, 0) => format!("[now + {days} days]"),
        (days, rest) => format!("[now + {days} days and {rest} minutes]"),
    }
}

/// Returns a hex dump with sixteen bytes per line and their printable characters.
pub(super) fn dump(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).map(|line| {
        let hex: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain = line.iter().map(|byte| match byte {
            0x20..=0x7e => char::from(*byte),
            _ => '.',
        });
        format!("{:47}  {}\n", hex.join(" "), plain.collect::<String>())
    });
    let size = format!("{} bytes\n", bytes.len());
    [size].into_iter().chain(lines).collect()
}

#[test]
fn only_the_clock_is_left_out() {
    let clock = Clock::start();
    let now = Utc::now();
    let told = clock.text(&format!("at {} and 2021-03-04T05:06:07Z", now.to_rfc3339()));
    assert_eq!(told, "at [now] and 2021-03-04T05:06:07Z");
    let later = (now + TimeDelta::days(90)).timestamp().to_string();
    assert_eq!(clock.number("expires_at", &later), "[now + 90 days]");
    assert_eq!(clock.number("expires_at", "1614834367"), "1614834367");
    assert_eq!(clock.number("token", &later), later);
    assert_eq!(clock.number("version", "7"), "7");
}
