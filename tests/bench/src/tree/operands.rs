//! Parses the operands of rules: folded texts, numbers, days in a zone.

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use serde_json::Value;

use crate::person::fold;

/// Returns a text operand folded for comparison.
pub(super) fn fold_operand(value: &Value) -> String {
    value
        .as_str()
        .and_then(fold)
        .unwrap_or_else(|| panic!("{value} is not a text"))
}

/// Returns the texts of a list, which may be comma-separated.
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

/// Returns a number operand, possibly given as text.
pub(super) fn number(value: &Value) -> f64 {
    let written = value.as_str().map(|text| text.trim().parse().ok());
    written
        .unwrap_or_else(|| value.as_f64())
        .unwrap_or_else(|| panic!("{value} is not a number"))
}

/// Returns a number of days, possibly given as text.
pub(super) fn days(value: &Value) -> i64 {
    let written = value.as_str().map(|text| text.trim().parse().ok());
    written
        .unwrap_or_else(|| value.as_i64())
        .unwrap_or_else(|| panic!("{value} is not a number of days"))
}

/// Returns the start of a day in the zone and that of the next day, in milliseconds.
pub(super) fn span(value: &Value, zone: Tz) -> (i64, i64) {
    let day: NaiveDate = value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{value} is not a day"));
    let instant = |day: NaiveDate| {
        let midnight = zone.from_local_datetime(&day.and_time(NaiveTime::MIN));
        midnight
            .earliest()
            .unwrap_or_else(|| panic!("{day} has no midnight"))
            .timestamp_millis()
    };
    (instant(day), instant(day + Days::new(1)))
}
