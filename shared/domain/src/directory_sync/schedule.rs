//! The schedule of a directory sync: manual, or at local times of an IANA time zone, each once a
//! day.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Minimum time between two runs that an operator may set, in minutes.
pub const SHORTEST_MINUTES: u16 = 15;
/// Maximum length of a gap in local time, in minutes: the longest so far was a day (Samoa, 2011).
const LONGEST_GAP: i64 = 26 * 60;

/// A time of day with minute precision; `HH:MM` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "04:00"))]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Creates a time from hour and minute; returns `None` if they are out of range.
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 {
            Some(Self(hour * 60 + minute))
        } else {
            None
        }
    }

    /// Returns the minute of the day, from 0.
    pub const fn minute(self) -> u16 {
        self.0
    }

    fn naive(self) -> NaiveTime {
        NaiveTime::MIN + TimeDelta::minutes(i64::from(self.0))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a time of day; enter it as HH:MM, for example 04:00");
        let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
        let number = |part: &str| match part.len() {
            1..=2 => part.parse::<u16>().ok(),
            _ => None,
        };
        let (hour, minute) = (number(hour), number(minute).filter(|_| minute.len() == 2));
        hour.zip(minute)
            .and_then(|(hour, minute)| Self::new(hour, minute))
            .ok_or_else(wrong)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

/// The strategy for starting runs, as chosen by an administrator (S3-15…S3-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncStrategy))]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Strategy {
    /// Only when an administrator starts a run (S3-15).
    Manual,
    /// Every day at a local time (S3-16, S3-17).
    Daily {
        /// The local time.
        time: TimeOfDay,
        /// The IANA zone, for example `Europe/London`. Default: UTC.
        #[serde(default = "utc")]
        #[cfg_attr(feature = "openapi", schema(value_type = String, example = "Europe/London"))]
        zone: Tz,
    },
}

fn utc() -> Tz {
    Tz::UTC
}

impl Default for Strategy {
    /// Returns 04:00 UTC (S2-34).
    fn default() -> Self {
        Self::Daily {
            time: TimeOfDay(4 * 60),
            zone: Tz::UTC,
        }
    }
}

impl Strategy {
    /// Returns the schedule, or `None` for a manual strategy.
    pub fn rhythm(self) -> Option<Schedule> {
        match self {
            Self::Manual => None,
            Self::Daily { time, zone } => Some(Schedule {
                times: BTreeSet::from([time]),
                zone,
            }),
        }
    }
}

/// Local times at which a run starts every day (C-29). Operators may set several (S2-35).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncRhythm))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// The local times.
    pub times: BTreeSet<TimeOfDay>,
    /// The IANA zone.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "UTC"))]
    pub zone: Tz,
}

impl Schedule {
    /// Returns a validation error, if there is one.
    pub fn problem(&self) -> Option<String> {
        if self.times.is_empty() {
            return Some("must contain at least one time, for example 04:00".to_owned());
        }
        let minutes: Vec<u16> = self.times.iter().map(|time| time.0).collect();
        let close = |pair: &[u16]| pair[1] - pair[0] < SHORTEST_MINUTES;
        let round = match (minutes.first(), minutes.last()) {
            (Some(first), Some(last)) if minutes.len() > 1 => {
                first + 24 * 60 - last < SHORTEST_MINUTES
            }
            _ => false,
        };
        (round || minutes.windows(2).any(close))
            .then(|| format!("times must be at least {SHORTEST_MINUTES} minutes apart"))
    }

    /// Returns the first due time after `after`.
    ///
    /// Each time occurs exactly once on every local day (S3-18). A time that is skipped by a clock
    /// change is the first moment after the gap; of a time that occurs twice the first is used.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = after.with_timezone(&self.zone).date_naive();
        // Start on the day before: a time near midnight may belong to another date.
        let first = today.pred_opt().unwrap_or(today);
        let days = (0..5).filter_map(|day| first.checked_add_days(Days::new(day)));
        days.flat_map(|day| self.times.iter().map(move |time| self.moment(day, *time)))
            .filter(|moment| *moment > after)
            .min()
    }

    /// Returns the UTC time of a local time on a local day.
    fn moment(&self, day: NaiveDate, time: TimeOfDay) -> DateTime<Utc> {
        let mut local: NaiveDateTime = day.and_time(time.naive());
        for _ in 0..LONGEST_GAP {
            match self.zone.from_local_datetime(&local) {
                MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => {
                    return at.with_timezone(&Utc);
                }
                MappedLocalTime::None => local += TimeDelta::minutes(1),
            }
        }
        local.and_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::Strategy;
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("time not parsed")
    }

    fn daily(time: &str, zone: &str) -> Schedule {
        let strategy = Strategy::Daily {
            time: time.parse().expect("time of day not parsed"),
            zone: zone.parse().expect("time zone not parsed"),
        };
        strategy.rhythm().expect("no schedule")
    }

    /// Returns the next due times after `from`, in UTC.
    fn moments(rhythm: &Schedule, from: &str, count: usize) -> Vec<String> {
        let mut now = at(from);
        let mut found = Vec::new();
        for _ in 0..count {
            now = rhythm.next_after(now).expect("no next due time");
            found.push(now.format("%m-%dT%H:%MZ").to_string());
        }
        found
    }

    /// Proves S2-34: by default a run starts every day at 04:00 UTC.
    #[test]
    fn the_default_is_four_in_the_morning_utc() {
        let rhythm = Strategy::default().rhythm().expect("no schedule");
        let found = moments(&rhythm, "2026-11-26T04:00:00Z", 2);
        assert_eq!(found, ["11-27T04:00Z", "11-28T04:00Z"]);
        let strategy = serde_json::to_value(Strategy::default()).expect("strategy not serialized");
        assert_eq!(
            strategy,
            serde_json::json!({"kind": "daily", "time": "04:00", "zone": "UTC"})
        );
    }

    /// Proves S3-15 and S3-19: a manual strategy is never due.
    #[test]
    fn a_manual_strategy_is_never_due() {
        assert_eq!(Strategy::Manual.rhythm(), None);
    }

    /// Proves S3-16, S3-17 and C-29: the local time stays the same all year.
    #[test]
    fn the_local_time_counts() {
        let london = daily("02:30", "Europe/London");
        assert_eq!(
            moments(&london, "2026-01-10T12:00:00Z", 1),
            ["01-11T02:30Z"]
        );
        assert_eq!(
            moments(&london, "2026-07-10T12:00:00Z", 1),
            ["07-11T01:30Z"]
        );
    }

    /// Proves S3-18: clock changes in London and New York.
    #[test]
    fn each_night_runs_once_when_clocks_change() {
        // London, 29 March 2026: 01:00 → 02:00. The skipped time becomes the end of the gap.
        let london = daily("01:30", "Europe/London");
        assert_eq!(
            moments(&london, "2026-03-27T12:00:00Z", 4),
            [
                "03-28T01:30Z",
                "03-29T01:00Z",
                "03-30T00:30Z",
                "03-31T00:30Z"
            ]
        );
        // London, 25 October 2026: 02:00 → 01:00. Of the repeated time the first is used.
        assert_eq!(
            moments(&london, "2026-10-23T12:00:00Z", 4),
            [
                "10-24T00:30Z",
                "10-25T00:30Z",
                "10-26T01:30Z",
                "10-27T01:30Z"
            ]
        );
        // New York, 8 March 2026: 02:00 → 03:00.
        let york = daily("02:30", "America/New_York");
        assert_eq!(
            moments(&york, "2026-03-06T12:00:00Z", 4),
            [
                "03-07T07:30Z",
                "03-08T07:00Z",
                "03-09T06:30Z",
                "03-10T06:30Z"
            ]
        );
        // New York, 1 November 2026: 02:00 → 01:00.
        let york = daily("01:30", "America/New_York");
        assert_eq!(
            moments(&york, "2026-10-30T12:00:00Z", 4),
            [
                "10-31T05:30Z",
                "11-01T05:30Z",
                "11-02T06:30Z",
                "11-03T06:30Z"
            ]
        );
    }

    /// Proves S2-35: an operator may set several times with a minimum distance.
    #[test]
    fn several_times_a_day_come_in_order() {
        let times = ["00:00", "06:00", "12:00", "18:00"]
            .map(|it| it.parse().expect("time of day not parsed"));
        let rhythm = Schedule {
            times: times.into(),
            zone: Tz::UTC,
        };
        assert_eq!(rhythm.problem(), None);
        assert_eq!(
            moments(&rhythm, "2026-11-26T17:00:00Z", 2),
            ["11-26T18:00Z", "11-27T00:00Z"]
        );
        for close in [["00:00", "00:14"], ["00:05", "23:55"]] {
            let times = close
                .map(|it| it.parse().expect("time of day not parsed"))
                .into();
            let rhythm = Schedule {
                times,
                zone: Tz::UTC,
            };
            assert!(
                rhythm.problem().is_some_and(|it| it.contains("15 minutes")),
                "{close:?}"
            );
        }
        let none = Schedule {
            times: BTreeSet::new(),
            zone: Tz::UTC,
        };
        assert!(none.problem().is_some());
    }

    #[test]
    fn a_time_is_written_with_hours_and_minutes() {
        for (text, minute) in [("00:00", 0), ("4:05", 245), ("23:59", 1_439)] {
            assert_eq!(text.parse().map(TimeOfDay::minute), Ok(minute), "{text}");
        }
        for text in [
            "", "4", "24:00", "12:60", "12:5", "-1:00", "004:00", "4:00 am",
        ] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }

    proptest! {
        /// Proves S3-18: the time occurs once on every local day of every zone; on a day that a
        /// zone skipped, it moves to the next day.
        #[test]
        fn every_local_day_has_one_moment(
            zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
            minute in 0_u16..1_440,
            start in 946_684_800_i64..2_000_000_000,
        ) {
            let time = TimeOfDay(minute);
            let rhythm = Schedule { times: BTreeSet::from([time]), zone };
            let mut now = DateTime::from_timestamp(start, 0).expect("time not valid");
            let mut days = Vec::new();
            for _ in 0..4 {
                let next = rhythm.next_after(now).expect("no next due time");
                prop_assert!(next > now && next - now < TimeDelta::hours(50));
                days.push(next.with_timezone(&zone).date_naive());
                now = next;
            }
            let skipped = zone.name().contains("Apia") || zone.name().contains("Fakaofo")
                || zone.name().contains("Kwajalein") || zone.name().contains("Enderbury")
                || zone.name().contains("Kanton") || zone.name().contains("Kiritimati");
            prop_assert!(skipped || days.windows(2).all(|pair| pair[1] > pair[0]), "{days:?}");
        }
    }
}
