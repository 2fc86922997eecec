//! Times with time zones, as used by events and free/busy requests.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};

use super::RequestContext;
use super::error::GraphError;

/// Windows names of the time zones used in tests.
const WINDOWS: [(&str, &str); 16] = [
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("Coordinated Universal Time", "UTC"),
    ("Eastern Standard Time", "America/New_York"),
    ("GMT Standard Time", "Europe/London"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Mountain Standard Time", "America/Denver"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

/// A `dateTimeTimeZone`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Moment {
    date_time: String,
    /// Name of the zone.
    pub(super) time_zone: String,
}

impl Moment {
    /// Returns the time in UTC.
    pub(super) fn instant(&self) -> Result<DateTime<Utc>, GraphError> {
        let zone = zone(&self.time_zone)?;
        if let Ok(absolute) = DateTime::parse_from_rfc3339(&self.date_time) {
            return Ok(absolute.to_utc());
        }
        let local = NaiveDateTime::parse_from_str(&self.date_time, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(&self.date_time, "%Y-%m-%dT%H:%M"));
        let found = local
            .ok()
            .and_then(|it| zone.from_local_datetime(&it).earliest());
        found.map(|it| it.to_utc()).ok_or_else(|| {
            let text = format!("'{}' is not a date and time.", self.date_time);
            GraphError::new(400, "RequestBodyRead", text)
        })
    }
}

fn zone(name: &str) -> Result<Tz, GraphError> {
    let windows = WINDOWS.iter().find(|(windows, _)| *windows == name);
    let iana = windows.map_or(name, |(_, iana)| *iana);
    iana.parse().map_err(|_| {
        let text = format!("The time zone '{name}' is not known.");
        GraphError::new(400, "TimeZoneNotSupportedException", text)
    })
}

/// Returns the zone of the `Prefer` header, or UTC.
pub(super) fn preferred(context: &RequestContext<'_>) -> Result<String, GraphError> {
    let prefer = context.call.header("prefer").unwrap_or_default();
    let asked = prefer.split(',').find_map(|part| {
        let value = part.trim().strip_prefix("outlook.timezone=")?;
        Some(value.trim_matches('"').to_owned())
    });
    let name = asked.unwrap_or_else(|| "UTC".to_owned());
    zone(&name)?;
    Ok(name)
}

/// Returns a time in the zone with this name.
pub(super) fn shown(at: DateTime<Utc>, name: &str) -> Value {
    let zone = zone(name).unwrap_or(Tz::UTC);
    let local = at.with_timezone(&zone).naive_local();
    json!({
        "dateTime": format!("{}0000", local.format("%Y-%m-%dT%H:%M:%S%.3f")),
        "timeZone": name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(date_time: &str, time_zone: &str) -> Option<String> {
        let moment = Moment {
            date_time: date_time.to_owned(),
            time_zone: time_zone.to_owned(),
        };
        moment.instant().ok().map(|it| it.to_rfc3339())
    }

    #[test]
    fn zones_of_both_kinds_are_understood() {
        let noon = Some("2026-07-01T18:00:00+00:00".to_owned());
        assert_eq!(instant("2026-07-01T12:00:00", "America/Denver"), noon);
        assert_eq!(instant("2026-07-01T12:00", "Mountain Standard Time"), noon);
        assert_eq!(instant("2026-07-01T18:00:00.0000000", "UTC"), noon);
        assert_eq!(instant("2026-07-01T12:00:00", "Nowhere"), None);
        assert_eq!(instant("noon", "UTC"), None);
        let winter = Some("2026-01-01T19:00:00+00:00".to_owned());
        assert_eq!(instant("2026-01-01T12:00:00", "America/Denver"), winter);
    }

    #[test]
    fn times_are_written_as_graph_writes_them() {
        let at = DateTime::parse_from_rfc3339("2026-07-01T18:00:00Z").expect("a time");
        let value = shown(at.to_utc(), "Pacific Standard Time");
        assert_eq!(value["dateTime"], "2026-07-01T11:00:00.0000000");
        assert_eq!(value["timeZone"], "Pacific Standard Time");
    }
}
