//! Parsing of ISO 8601 dates. Formats in which day and month could be confused are rejected.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

use super::quoted::quoted;

/// Plausible years: .NET writes "no date" as year 1, and forms use 9999 for "never".
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

/// Date-time formats without an offset, which are read as UTC.
const LOCAL_FORMS: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
];

/// Parses a date (midnight UTC) or date-time (UTC unless it has an offset).
pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    match parsed(text) {
        Some((year, moment)) if YEARS.contains(&year) => Ok(moment),
        // `01-02-23` would also be a valid date in the year 1.
        _ if has_day_or_month_first(text) => Err(format!(
            "{} is ambiguous, because some read the day first and some the month; write \
             year-month-day, such as 2023-02-01",
            quoted(text)
        )),
        Some(_) => Err(format!(
            "must be a date between {} and {}, not {}",
            YEARS.start(),
            YEARS.end(),
            quoted(text)
        )),
        None => Err(format!(
            "must be a date such as 2023-02-01 or a time such as 2023-02-01T09:00:00Z, not {}",
            quoted(text)
        )),
    }
}

/// Formats a time as RFC 3339 in UTC, with its existing decimals.
pub(crate) fn written(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Returns the year as written, and the time.
fn parsed(text: &str) -> Option<(i32, DateTime<Utc>)> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some((moment.year(), moment.to_utc()));
    }
    let local = LOCAL_FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let local = local.or_else(|| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(day.and_time(NaiveTime::MIN))
    })?;
    Some((local.year(), local.and_utc()))
}

/// Checks for formats such as `01/02/2023`, `1.2.2023` and `01-02-23`, with or without a time.
fn has_day_or_month_first(text: &str) -> bool {
    let date = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['/', '.', '-']).collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(number) && parts[0].len() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_iso_dates() {
        let table = [
            ("2023-02-01", "2023-02-01T00:00:00Z"),
            (" 2023-02-01T09:30 ", "2023-02-01T09:30:00Z"),
            ("2023-02-01 09:30", "2023-02-01T09:30:00Z"),
            ("2023-02-01 09:30:15", "2023-02-01T09:30:15Z"),
            ("2023-02-01T09:30:15.25", "2023-02-01T09:30:15.250Z"),
            ("2023-02-01T09:30:15Z", "2023-02-01T09:30:15Z"),
            ("2023-02-01T00:30:00+02:00", "2023-01-31T22:30:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("9999-12-31", "9999-12-31T00:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(moment(text).map(written).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_two_people_read_differently() {
        for text in [
            "01/02/2023",
            "1.2.2023",
            "25/12/2023 10:00",
            "01-02-23",
            "1/2/23 9:00 AM",
        ] {
            assert_eq!(
                moment(text),
                Err(format!(
                    "{text:?} is ambiguous, because some read the day first and some the month; \
                     write year-month-day, such as 2023-02-01"
                ))
            );
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "2023-02-29",
            "2023-13-01",
            "soon",
            "45321",
            "2023/02/01",
            "2023-02-01T25:00",
        ] {
            let problem = moment(text).expect_err(text);
            assert!(problem.starts_with("must be a date such as"), "{problem}");
        }
        for text in [
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00Z",
            "+12023-01-01",
        ] {
            assert_eq!(
                moment(text),
                Err(format!(
                    "must be a date between 1900 and 9999, not {text:?}"
                ))
            );
        }
    }
}
