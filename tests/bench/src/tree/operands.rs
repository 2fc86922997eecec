//! The operands of rules: folded texts, numbers, days in a zone.

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use serde_json::Value;

use crate::person::fold;

/// A text operand as texts are compared.
pub(super) fn fold_operand(value: &Value) -> String {
    value
        .as_str()
        .and_then(fold)
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// The texts of a list, which may be written with commas.
pub(super) fn items(value: &Value) -> Vec<String> {
    let mut texts: Vec<String> = match value {
        Value::String(text) => text.split(',').filter_map(fold).collect(),
        other => other
            .as_array()
            .into_iter()
            .flatten()
            .map(fold_operand)
            .collect(),
    };
    texts.sort();
    texts.dedup();
    texts
}

/// A number operand, possibly written as text.
pub(super) fn number(value: &Value) -> f64 {
    let written = value.as_str().map(|text| text.trim().parse().ok());
    written
        .unwrap_or_else(|| value.as_f64())
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// A number of days, possibly written as text.
pub(super) fn days(value: &Value) -> i64 {
    let written = value.as_str().map(|text| text.trim().parse().ok());
    written
        .unwrap_or_else(|| value.as_i64())
        .unwrap_or_else(|| panic!("{value} is no number of days"))
}

/// A day of the zone: its first instant and the next day's, in milliseconds.
pub(super) fn span(value: &Value, zone: Tz) -> (i64, i64) {
    let day: NaiveDate = value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{value} is no day"));
    let instant = |day: NaiveDate| {
        let midnight = zone.from_local_datetime(&day.and_time(NaiveTime::MIN));
        midnight
            .earliest()
            .unwrap_or_else(|| panic!("{day} has no midnight"))
            .timestamp_millis()
    };
    (instant(day), instant(day + Days::new(1)))
}
