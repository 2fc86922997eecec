//! Limits and validation of course sessions.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::session::CourseSession;
use crate::audience::settings::is_mail_address;
use crate::base::problem::Problem;

/// Maximum length of a title in characters; Outlook shows 255 of a subject.
pub const MAX_TITLE: usize = 200;
/// Maximum length of a description in characters.
pub const MAX_DESCRIPTION: usize = 4_000;
/// Maximum length of a name (of a learner or a room) in characters.
pub const MAX_PERSON_NAME: usize = 200;
/// Maximum number of learners: about five events.
pub const MAX_LEARNERS: usize = 2_000;
/// Maximum size of all names and addresses together, in bytes: as an item of the state table a
/// session must stay well below 350 KB.
pub const MAX_LEARNER_BYTES: usize = 200_000;
/// Maximum duration in hours. A room rejects longer bookings unless its administrator raised the
/// default of `MaximumDurationInMinutes`:
/// <https://learn.microsoft.com/powershell/module/exchangepowershell/set-calendarprocessing>. A
/// course of several days has several sessions.
pub const MAX_HOURS: i64 = 24;

impl CourseSession {
    /// Returns all validation problems.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let title = self.title.trim();
        if title.is_empty() || !fits(title, MAX_TITLE) {
            let detail = format!("needs 1 to {MAX_TITLE} characters, without control characters");
            problems.push(Problem::at("/title", detail));
        }
        if self.description.chars().count() > MAX_DESCRIPTION {
            let detail = format!("may be {MAX_DESCRIPTION} characters long at most");
            problems.push(Problem::at("/description", detail));
        }
        if self.start >= self.end {
            problems.push(Problem::at("/end", "must be later than the start"));
        } else if self.end - self.start > TimeDelta::hours(MAX_HOURS) {
            let detail = format!(
                "must be {MAX_HOURS} hours after the start at most; split a longer course into several sessions"
            );
            problems.push(Problem::at("/end", detail));
        }
        if self.time_zone.parse::<Tz>().is_err() {
            let detail = "must be a time zone such as Europe/Berlin";
            problems.push(Problem::at("/timeZone", detail));
        }
        if let Some(room) = &self.room {
            problems.extend(wrong_guest("/room", &room.name, &room.address));
        }
        problems.extend(self.wrong_learners());
        problems
    }

    /// Returns all validation problems of a new session, which must also be in the future.
    pub fn problems_at_creation(&self, now: DateTime<Utc>) -> Vec<Problem> {
        let mut problems = self.problems();
        if self.start <= now {
            problems.push(Problem::at("/start", "must be in the future"));
        }
        problems
    }

    fn wrong_learners(&self) -> Vec<Problem> {
        let all = self.learners.iter();
        let bytes: usize = all.clone().map(|it| it.name.len() + it.address.len()).sum();
        if self.learners.len() > MAX_LEARNERS || bytes > MAX_LEARNER_BYTES {
            let detail = format!(
                "may hold {MAX_LEARNERS} learners at most, with {MAX_LEARNER_BYTES} bytes of names and addresses"
            );
            // Do not list thousands of further problems.
            return vec![Problem::at("/learners", detail)];
        }
        all.enumerate()
            .flat_map(|(at, it)| wrong_guest(&format!("/learners/{at}"), &it.name, &it.address))
            .collect()
    }
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}

fn wrong_guest(pointer: &str, name: &str, address: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !fits(name, MAX_PERSON_NAME) {
        let detail =
            format!("may be {MAX_PERSON_NAME} characters long at most, without control characters");
        problems.push(Problem::at(format!("{pointer}/name"), detail));
    }
    if !is_mail_address(address.trim()) {
        let detail = "must be a mail address, such as kay@contoso.com";
        problems.push(Problem::at(format!("{pointer}/address"), detail));
    }
    problems
}
