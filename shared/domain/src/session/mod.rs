//! Sessions of courses: what one is, what is wrong with it, what an account's licences allow.
//!
//! Which calendar events a session needs is decided in `parts`.

mod parts;
mod words;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ids::{CatalogId, CourseId, SessionId};
use crate::problem::Problem;
use crate::settings::is_mail_address;
pub use parts::{EventStep, MOST_ATTENDEES, arrange, begin, plan, settle, transaction_id};
pub use words::invitation;

/// A title may have this many characters; Outlook shows 255 of a subject.
pub const MAX_TITLE: usize = 200;
/// A description may have this many characters.
pub const MAX_DESCRIPTION: usize = 4_000;
/// A name (of a learner or a room) may have this many characters.
pub const MAX_PERSON_NAME: usize = 200;
/// A session may have this many learners: five events, counted roughly.
pub const MAX_LEARNERS: usize = 2_000;
/// Names and addresses of all learners together, in bytes: as an item of the
/// state table a session has to stay well below 350 KB.
pub const MAX_LEARNER_BYTES: usize = 200_000;
/// A session may take this many hours. A room takes no longer booking unless
/// its administrator raised the default of `MaximumDurationInMinutes`:
/// <https://learn.microsoft.com/powershell/module/exchangepowershell/set-calendarprocessing>.
/// A course of several days is several sessions.
pub const MAX_HOURS: i64 = 24;

/// One appointment of a catalog. How far ahead it is does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CourseSession {
    /// Its id.
    pub id: SessionId,
    /// The catalog whose connected account invites to it.
    pub catalog: CatalogId,
    /// The course it belongs to, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseId>,
    /// What it is called.
    pub title: String,
    /// What learners should know, as plain text.
    #[serde(default)]
    pub description: String,
    /// Its first moment.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
    /// The IANA zone in which its time is shown, such as `Europe/Berlin`.
    pub time_zone: String,
    /// The room to book (S1-16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// Whether it has a Teams meeting (S1-17).
    #[serde(default)]
    pub online: bool,
    /// Whether the organisation's shared calendar is invited, too (S1-29).
    #[serde(default)]
    pub share: bool,
    /// Who is invited: each address once, sorted ([`tidy`](Self::tidy)).
    #[serde(default)]
    pub learners: Vec<Learner>,
    /// Counts the saves, from 1.
    pub version: u64,
    /// Whether it takes place.
    pub status: SessionStatus,
    /// Its events in the account's calendar, as far as they are known.
    #[serde(default)]
    pub events: Vec<SessionEvent>,
    /// The way into its Teams meeting, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// What the room answered.
    #[serde(default)]
    pub room_answer: RoomAnswer,
}

/// A room, by the address that is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoomRef {
    /// Its display name.
    pub name: String,
    /// The address of its mailbox.
    pub address: String,
}

/// Somebody who is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Learner {
    /// Their display name; may be empty.
    #[serde(default)]
    pub name: String,
    /// Their mail address.
    pub address: String,
}

/// Whether a session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SessionStatus {
    /// It does.
    #[default]
    Scheduled,
    /// It does not: its events are cancelled.
    Cancelled,
}

/// What a room says to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum RoomAnswer {
    /// No room was asked.
    #[default]
    NoRoom,
    /// It has not answered for good.
    Waiting,
    /// It is booked.
    Accepted,
    /// It is not to be had.
    Declined,
}

/// One calendar event of a session and what it was last told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionEvent {
    /// Which part of the session it is, from 0.
    pub part: u32,
    /// The session's version when it was first planned; with the part it makes
    /// the transaction id.
    pub created: u64,
    /// Its id in the account's calendar; `None` as long as no answer has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Who is in it: [`Learner::key`]s, sorted.
    #[serde(default)]
    pub learners: Vec<String>,
    /// Fingerprint of everything else it was told; `None` if it was told nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
}

/// What the connected account is licensed for (S1-10, S1-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Exchange Online Plan 1 or better: a calendar to invite from.
    pub exchange: bool,
    /// Microsoft Teams: meetings.
    pub teams: bool,
}

impl CourseSession {
    /// The session as it is stored: texts trimmed, each address once whatever
    /// its case, learners sorted by address. Of two entries the one with a name
    /// stays, and of two names the first in the alphabet.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        let trim = |text: &mut String| *text = text.trim().to_owned();
        trim(&mut self.title);
        trim(&mut self.description);
        if let Some(room) = &mut self.room {
            trim(&mut room.name);
            trim(&mut room.address);
        }
        for learner in &mut self.learners {
            trim(&mut learner.name);
            trim(&mut learner.address);
        }
        self.learners.sort_by_cached_key(|it| {
            let folded = it.address.to_ascii_lowercase();
            (
                folded,
                it.name.is_empty(),
                it.name.clone(),
                it.address.clone(),
            )
        });
        self.learners
            .dedup_by(|a, b| a.address.eq_ignore_ascii_case(&b.address));
        self
    }

    /// Everything that is wrong with it.
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
                "must be {MAX_HOURS} hours after the start at most; make several sessions of several days"
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

    /// Everything that is wrong with it as a new one: it must not lie in the past, either.
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
            // Thousands of findings more would help nobody.
            return vec![Problem::at("/learners", detail)];
        }
        all.enumerate()
            .flat_map(|(at, it)| wrong_guest(&format!("/learners/{at}"), &it.name, &it.address))
            .collect()
    }
}

impl Learner {
    /// What an address is known by in [`SessionEvent::learners`]: 16 hexadecimal
    /// digits of its SHA-256 without regard to case. Shorter than the address,
    /// and it keeps nobody's address once they are no longer invited.
    pub fn key(&self) -> String {
        parts::short_hash(self.address.trim().to_ascii_lowercase().as_bytes())
    }
}

/// The session as the account's licences allow it, and what had to be left out.
///
/// Without Teams it is held without a meeting, and the rest works (S1-11); a
/// meeting that an event has already stays there. Without Exchange there is no
/// calendar to plan in (S1-10): that is the error.
pub fn degrade(
    mut wanted: CourseSession,
    has: Capabilities,
) -> Result<(CourseSession, Vec<Problem>), Problem> {
    if !has.exchange {
        return Err(Problem::at(
            "",
            "the connected account has no Exchange Online (Plan 1 or better), so it cannot invite to sessions: assign the licence or connect another account",
        ));
    }
    let mut left_out = Vec::new();
    if wanted.online && !has.teams {
        wanted.online = false;
        left_out.push(Problem::at(
            "/online",
            "the connected account has no Microsoft Teams, so the session has no meeting: assign the licence and save the session again",
        ));
    }
    Ok((wanted, left_out))
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

#[cfg(test)]
mod tests;
