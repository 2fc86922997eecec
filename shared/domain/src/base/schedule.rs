//! Schedules of jobs: fixed UTC slots, one run per tenant, job and slot.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, DurationRound, NaiveTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// Hours of the data refresh, UTC (S4-093).
pub const REFRESH_HOURS: [u32; 8] = [2, 5, 8, 11, 14, 17, 20, 23];
/// Hours of maintenance, UTC (S4-094).
pub const MAINTENANCE_HOURS: [u32; 8] = [0, 3, 6, 9, 12, 15, 18, 21];
/// Hours of the membership job, UTC. Together with maintenance at 00:00, memberships are updated
/// every eight hours as promised (S4-045, C-03).
pub const MEMBERSHIP_HOURS: [u32; 2] = [8, 16];

/// A kind of scheduled work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Reads the LMS.
    Refresh,
    /// Makes groups and enrolments equal to the audiences.
    Maintenance,
    /// Updates only the memberships.
    Membership,
    /// Synchronizes users and teams from the directory to the SCIM platform; times are per tenant.
    DirectorySync,
}

impl Job {
    /// All jobs.
    pub const ALL: [Self; 4] = [
        Self::Refresh,
        Self::Maintenance,
        Self::Membership,
        Self::DirectorySync,
    ];

    /// Returns the name used in keys and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Maintenance => "maintenance",
            Self::Membership => "membership",
            Self::DirectorySync => "directory_sync",
        }
    }

    /// Returns the default hours; a deployment may choose others. The directory sync has none
    /// because its times are set for each tenant.
    pub const fn hours(self) -> &'static [u32] {
        match self {
            Self::Refresh => &REFRESH_HOURS,
            Self::Maintenance => &MAINTENANCE_HOURS,
            Self::Membership => &MEMBERSHIP_HOURS,
            Self::DirectorySync => &[],
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Job {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|job| job.name() == name)
            .ok_or_else(|| {
                format!("there is no job {name:?}: use refresh, maintenance, membership or directory_sync")
            })
    }
}

/// The scheduled time of a run; the run uses it as the current time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Slot(DateTime<Utc>);

impl Slot {
    /// Returns the slot of a tick: its minute. Schedulers fire more than once and some seconds
    /// late, but never a minute early.
    pub fn of_tick(tick: DateTime<Utc>) -> Self {
        Self(tick.duration_trunc(TimeDelta::minutes(1)).unwrap_or(tick))
    }

    /// Returns the slot of a manual run: its second, so that two runs in the same minute have
    /// different slots.
    pub fn by_hand(at: DateTime<Utc>) -> Self {
        Self(at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at))
    }

    /// Returns the time of the slot.
    pub const fn at(self) -> DateTime<Utc> {
        self.0
    }

    /// Returns true if the slot is exactly this full hour of the day.
    pub fn is_at_hour(self, hour: u32) -> bool {
        self.0.hour() == hour && self.0.minute() == 0
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%MZ"))
    }
}

/// Returns the hourly slots after `last` and before `slot`, which never ran. At most one week is
/// covered, so that a long pause does not fill the report.
pub fn missed(hours: &[u32], last: Option<Slot>, slot: Slot) -> Vec<Slot> {
    let Some(last) = last else { return Vec::new() };
    let earliest = last.0.max(slot.0 - TimeDelta::days(7));
    let mut hour = earliest.date_naive().and_time(NaiveTime::MIN).and_utc();
    let mut found = Vec::new();
    while hour < slot.0 {
        if hour > earliest && hours.contains(&hour.hour()) {
            found.push(Slot(hour));
        }
        hour += TimeDelta::hours(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("invalid time")
    }

    /// Proves S4-090, S4-092, S4-093, S4-094 and S4-095: the guide's hours, equal in every region,
    /// with maintenance one hour after a refresh.
    #[test]
    fn maintenance_follows_each_refresh_by_an_hour() {
        assert_eq!(
            REFRESH_HOURS
                .map(|hour| (hour + 1) % 24)
                .iter()
                .collect::<std::collections::BTreeSet<_>>(),
            MAINTENANCE_HOURS.iter().collect()
        );
    }

    /// Proves S4-045 and C-03: memberships are updated at 00:00, 08:00 and 16:00.
    #[test]
    fn memberships_are_updated_every_eight_hours() {
        for hour in [0, 8, 16] {
            assert!(
                MAINTENANCE_HOURS.contains(&hour) || MEMBERSHIP_HOURS.contains(&hour),
                "{hour}"
            );
        }
    }

    /// Proves S4-096: late and duplicate ticks are the same slot.
    #[test]
    fn a_late_duplicate_tick_is_the_same_slot() {
        let slot = Slot::of_tick(at("2026-11-21T03:00:00Z"));
        assert_eq!(Slot::of_tick(at("2026-11-21T03:00:41.5Z")), slot);
        assert_eq!(slot.to_string(), "2026-11-21T03:00Z");
        assert_ne!(Slot::of_tick(at("2026-11-21T03:01:00Z")), slot);
    }

    /// Proves S4-096: missed slots are visible.
    #[test]
    fn slots_that_never_ran_are_listed() {
        let last = Slot::of_tick(at("2026-11-20T21:00:00Z"));
        let missed = missed(
            &MAINTENANCE_HOURS,
            Some(last),
            Slot::of_tick(at("2026-11-21T06:00:00Z")),
        );
        assert_eq!(
            missed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["2026-11-21T00:00Z", "2026-11-21T03:00Z"]
        );
        assert!(super::missed(&MAINTENANCE_HOURS, None, last).is_empty());
        assert!(
            super::missed(
                &MAINTENANCE_HOURS,
                Some(last),
                Slot::of_tick(at("2026-11-21T00:00:00Z"))
            )
            .is_empty()
        );
    }
}
