//! Times in the formats that platforms write.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Parses a time as platforms write it: RFC 3339, the same without zone (UTC), or a date (its first
/// instant in UTC). Any other text is treated as a missing value.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(local) = text.parse::<NaiveDateTime>() {
        return Some(local.and_utc());
    }
    let day = text.parse::<NaiveDate>().ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}
