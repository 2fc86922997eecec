//! A session, its calendar events, and what an account's licences leave of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::short_hash::short_hash;
use crate::base::ids::{CatalogId, CourseId, ObjectId, SessionId};
use crate::base::problem::Problem;

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
    /// In whose calendar its first event was made: the catalog may have another
    /// account by now, which does not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarOwner>,
    /// The way into its Teams meeting, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// What the room answered.
    #[serde(default)]
    pub room_answer: RoomAnswer,
}

/// An account whose calendar events stand in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CalendarOwner {
    /// Its object id in the directory.
    pub object: ObjectId,
    /// Its mail address.
    pub address: String,
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
}

impl Learner {
    /// What an address is known by in [`SessionEvent::learners`]: 16 hexadecimal
    /// digits of its SHA-256 without regard to case. Shorter than the address,
    /// and it keeps nobody's address once they are no longer invited.
    pub fn key(&self) -> String {
        short_hash(self.address.trim().to_ascii_lowercase().as_bytes())
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
