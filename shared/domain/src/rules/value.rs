//! Values of rules: texts, numbers, booleans, days, times and lists of them.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use super::limits::{MAX_DAYS, MAX_LIST, MAX_TEXT};
use crate::base::text::fold;

/// Parses a text operand and folds it.
pub(super) fn text(value: &Value) -> Result<String, String> {
    let raw = scalar(value).ok_or("the value is required and must be a text")?;
    if raw.chars().count() > MAX_TEXT {
        return Err(format!(
            "the value may be {MAX_TEXT} characters long at most"
        ));
    }
    fold(&raw).ok_or_else(|| {
        "the value is required; to match missing values, use the operator null".to_owned()
    })
}

/// Parses a number operand.
pub(super) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => parse_number(text),
        _ => None,
    }
    .ok_or_else(|| "the value is required and must be a number such as 12 or 12.5".to_owned())
}

/// Parses a number as users and systems write it; a single comma is a decimal comma.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = if text.contains('.') || text.matches(',').count() != 1 {
        text.parse::<f64>()
    } else {
        text.replace(',', ".").parse()
    };
    plain.ok().filter(|number| number.is_finite())
}

/// Parses a boolean operand.
pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => parse_boolean(text),
        _ => None,
    }
    .ok_or_else(|| "the value is required and must be true or false".to_owned())
}

/// Parses a boolean as other systems write it.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match fold(text)?.as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// Parses a number of days; `default` is used for a missing value.
pub(super) fn days(value: &Value, default: Option<u32>) -> Result<u32, String> {
    let given = match value {
        Value::Null => return default.ok_or_else(|| "the number of days is required".to_owned()),
        Value::String(text) if text.trim().is_empty() => {
            return default.ok_or_else(|| "the number of days is required".to_owned());
        }
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    given
        .and_then(|days| u32::try_from(days).ok())
        .filter(|days| (1..=MAX_DAYS).contains(days))
        .ok_or_else(|| format!("the value must be a number of days from 1 to {MAX_DAYS}"))
}

/// Parses a day or time into `[start, end)` in milliseconds since 1970 UTC. A day without time is
/// the whole day in the zone; a time is one millisecond long.
pub(crate) fn span(value: &Value, zone: Tz) -> Result<(i64, i64), String> {
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty()).ok_or(
        "the value is required: a day such as 2023-01-01 or a time such as 2023-01-01T09:00:00Z",
    )?;
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        let start = moment.timestamp_millis();
        return Ok((start, start + 1));
    }
    if let Ok(local) = text
        .parse::<NaiveDateTime>()
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
    {
        let start = instant(local, zone).timestamp_millis();
        return Ok((start, start + 1));
    }
    let day = text.parse::<NaiveDate>().map_err(|_| {
        format!("{text:?} is not a date: enter a day such as 2023-01-01 or a time such as 2023-01-01T09:00:00Z")
    })?;
    let next = day
        .checked_add_days(Days::new(1))
        .ok_or("the date is out of range")?;
    Ok((
        instant(day.and_time(NaiveTime::MIN), zone).timestamp_millis(),
        instant(next.and_time(NaiveTime::MIN), zone).timestamp_millis(),
    ))
}

/// Returns the instant of a local time. A time skipped by a clock change becomes the first one
/// after the gap; for a time that occurs twice, the first occurrence is used.
pub(crate) fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut probe = local;
    // Gaps are at most a day long (a zone that jumped the date line).
    for _ in 0..=96 {
        if let Some(found) = zone.from_local_datetime(&probe).earliest() {
            return found.to_utc();
        }
        probe += chrono::TimeDelta::minutes(15);
    }
    local.and_utc()
}

/// Parses the two operands of a `between`.
pub(super) fn pair(value: &Value) -> Result<[Value; 2], String> {
    let items = list(value)?;
    <[Value; 2]>::try_from(items).map_err(|items| {
        format!(
            "the value must be a list of two values, from and to; this one has {}",
            items.len()
        )
    })
}

/// Returns the items of a list; the editor may write it as comma-separated text.
pub(crate) fn list(value: &Value) -> Result<Vec<Value>, String> {
    let items: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => text
            .split(',')
            .filter(|item| !item.trim().is_empty())
            .map(|item| Value::String(item.trim().to_owned()))
            .collect(),
        _ => Vec::new(),
    };
    match items.len() {
        0 => Err("the value must be a list with at least one item".to_owned()),
        length if length > MAX_LIST => Err(format!(
            "the list may hold {MAX_LIST} values at most, not {length}"
        )),
        _ => Ok(items),
    }
}

/// Returns the operands as written: a single value, or each item of a list.
pub(crate) fn written(value: &Value) -> Vec<String> {
    let trimmed = |text: String| text.trim().to_owned();
    match value {
        Value::Array(items) => items.iter().filter_map(scalar).map(trimmed).collect(),
        one => scalar(one).map(trimmed).into_iter().collect(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Proves S4-082: a day is interpreted in the profile's zone.
    #[test]
    fn a_day_is_the_whole_day_of_the_zone() {
        let hour = 3_600_000;
        let (start, end) = span(&json!("2023-01-01"), chrono_tz::UTC).expect("valid day rejected");
        assert_eq!(end - start, 24 * hour);
        let (denver, _) =
            span(&json!("2023-01-01"), chrono_tz::America::Denver).expect("valid day rejected");
        assert_eq!(denver - start, 7 * hour);
        let (start, end) =
            span(&json!("2026-03-29"), chrono_tz::Europe::London).expect("valid day rejected");
        assert_eq!(end - start, 23 * hour);
    }

    #[test]
    fn a_midnight_that_does_not_exist_moves_to_the_next_instant() {
        // Clocks in Beirut jumped from 00:00 to 01:00 on 2021-03-28.
        let (start, _) =
            span(&json!("2021-03-28"), chrono_tz::Asia::Beirut).expect("valid day rejected");
        assert_eq!(
            DateTime::from_timestamp_millis(start)
                .expect("date out of range")
                .to_rfc3339(),
            "2021-03-27T22:00:00+00:00"
        );
    }

    #[test]
    fn numbers_are_read_with_point_or_comma() {
        assert_eq!(parse_number(" 12,5 "), Some(12.5));
        assert_eq!(parse_number("1,234,567"), None);
        assert_eq!(parse_number("NaN"), None);
        assert_eq!(number(&json!("7")), Ok(7.0));
        assert!(number(&json!("")).is_err());
    }

    #[test]
    fn days_are_bounded() {
        assert_eq!(days(&json!("14"), None), Ok(14));
        assert_eq!(days(&Value::Null, Some(30)), Ok(30));
        assert!(
            days(&json!(0), None).is_err()
                && days(&json!(99_999), None).is_err()
                && days(&Value::Null, None).is_err()
        );
    }
}
