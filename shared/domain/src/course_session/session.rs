//! A course session, its calendar events, and the effect of an account's licences.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::short_hash::short_hash;
use crate::base::ids::{CatalogId, CourseId, ObjectId, SessionId};
use crate::base::problem::Problem;

/// A course session of a catalog, at any time in the future.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CourseSession {
    /// Id of the session.
    pub id: SessionId,
    /// The catalog whose connected account sends the invitations.
    pub catalog: CatalogId,
    /// The course of the session, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseId>,
    /// Title.
    pub title: String,
    /// Description for learners, as plain text.
    #[serde(default)]
    pub description: String,
    /// Start time.
    pub start: DateTime<Utc>,
    /// End time.
    pub end: DateTime<Utc>,
    /// IANA time zone for displayed times, for example `Europe/Berlin`.
    pub time_zone: String,
    /// The room to book (S1-16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// True if it has a Teams meeting (S1-17).
    #[serde(default)]
    pub online: bool,
    /// True if the organisation's shared calendar is invited (S1-29).
    #[serde(default)]
    pub share: bool,
    /// Invited learners: each address once, sorted ([`tidy`](Self::tidy)).
    #[serde(default)]
    pub learners: Vec<Learner>,
    /// Number of saves, from 1.
    pub version: u64,
    /// Status: scheduled or cancelled.
    pub status: SessionStatus,
    /// Its known events in the account's calendar.
    #[serde(default)]
    pub events: Vec<SessionEvent>,
    /// The account in whose calendar the first event was created. The catalog may have another
    /// account now, which cannot access it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarOwner>,
    /// Link to the Teams meeting, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// The room's response.
    #[serde(default)]
    pub room_answer: RoomAnswer,
}

/// The account whose calendar contains the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CalendarOwner {
    /// Object id in the directory.
    pub object: ObjectId,
    /// E-mail address.
    pub address: String,
}

/// A room to invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoomRef {
    /// Display name.
    pub name: String,
    /// Address of the room's mailbox.
    pub address: String,
}

/// An invited learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Learner {
    /// Display name; may be empty.
    #[serde(default)]
    pub name: String,
    /// E-mail address.
    pub address: String,
}

/// The status of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SessionStatus {
    /// The session takes place.
    #[default]
    Scheduled,
    /// The session does not take place: its events are cancelled.
    Cancelled,
}

/// A room's response to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum RoomAnswer {
    /// No room was invited.
    #[default]
    NoRoom,
    /// The room has not answered yet, or only tentatively.
    Waiting,
    /// The room is booked.
    Accepted,
    /// The room is not available.
    Declined,
}

/// One calendar event of a session, with the data that was last sent to the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionEvent {
    /// Number of the session's part, from 0.
    pub part: u32,
    /// Version of the session in which it was first planned; part of the transaction id.
    pub created: u64,
    /// Id in the account's calendar; `None` until a response has returned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// [`Learner::key`]s of its learners, sorted.
    #[serde(default)]
    pub learners: Vec<String>,
    /// Fingerprint of all other data that was sent; `None` if nothing was sent yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
}

/// The licences of the connected account (S1-10, S1-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// True for Exchange Online Plan 1 or better: the account has a calendar.
    pub exchange: bool,
    /// True for Microsoft Teams: the account can create meetings.
    pub teams: bool,
}

impl CourseSession {
    /// Returns the session in its stored form: texts trimmed, learners sorted by address, each
    /// address once (case-insensitive). Of two entries the one with a name is kept, of two names
    /// the alphabetically first.
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
    /// Returns the key of an address in [`SessionEvent::learners`]: 16 hexadecimal digits of its
    /// SHA-256, case-insensitive. It is shorter than the address, and no address remains stored
    /// after the learner is removed.
    pub fn key(&self) -> String {
        short_hash(self.address.trim().to_ascii_lowercase().as_bytes())
    }
}

/// Returns the session that the account's licences allow, and a problem for each omitted part.
///
/// Without Teams the session has no meeting and everything else works (S1-11); the meeting of an
/// existing event remains. Without Exchange there is no calendar (S1-10), which is an error.
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
