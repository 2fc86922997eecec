//! Activity in a tenant's mailboxes: sent mail, calendar events, and responses of rooms.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::state::TenantState;
use crate::tenant::millis;

/// A message that was accepted for sending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentMail {
    /// Object id of the sender.
    pub from: Uuid,
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// Subject.
    pub subject: String,
    /// The body if it is HTML, else empty.
    pub html: String,
    /// The body if it is plain text.
    pub text: Option<String>,
    /// Addresses in `To`.
    pub to: Vec<String>,
    /// Addresses in `Cc`.
    #[serde(default)]
    pub cc: Vec<String>,
    /// Addresses in `Bcc`.
    #[serde(default)]
    pub bcc: Vec<String>,
    /// `internetMessageHeaders` by name as sent.
    pub headers: BTreeMap<String, String>,
    /// Attachments as sent.
    #[serde(default)]
    pub attachments: Vec<Value>,
    /// Whether a copy is in the sent items.
    #[serde(default)]
    pub saved: bool,
}

impl SentMail {
    /// Returns the number of recipients of all three kinds.
    pub fn recipients(&self) -> usize {
        self.to.len() + self.cc.len() + self.bcc.len()
    }
}

/// An event in a user's calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalendarEvent {
    /// Id in the calendar.
    pub id: String,
    /// Object id of the organiser.
    pub owner: Uuid,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub changed_at: DateTime<Utc>,
    /// The client's own id, which prevents duplicates.
    pub transaction_id: Option<String>,
    /// Subject.
    pub subject: String,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// Time zone in which the client wrote the start.
    pub start_zone: String,
    /// Time zone in which the client wrote the end.
    pub end_zone: String,
    /// Users and rooms.
    pub attendees: Vec<Attendee>,
    /// Link to the Teams meeting, if there is one.
    pub join_url: Option<String>,
    /// All other properties set by the client.
    pub other: Map<String, Value>,
}

/// A user or room invited to an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// `required`, `optional` or `resource`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
    /// When this attendee was invited for this time.
    pub asked_at: DateTime<Utc>,
    /// The response so far.
    pub answer: Answer,
    /// When the attendee responded.
    pub answered_at: Option<DateTime<Utc>>,
}

/// An attendee's `status.response`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// No response yet.
    #[default]
    None,
    /// Accepted; a room is booked.
    Accepted,
    /// Declined; a room is not booked.
    Declined,
    /// Tentatively accepted.
    TentativelyAccepted,
}

/// An event that was removed from the calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelledEvent {
    /// The event before its removal.
    pub event: CalendarEvent,
    /// When it was removed.
    pub at: DateTime<Utc>,
    /// The organiser's comment; `None` if it was deleted instead of cancelled.
    pub comment: Option<String>,
}

impl CalendarEvent {
    /// Returns whether the room at this address is booked for the event.
    pub fn has_booked(&self, address: &str) -> bool {
        self.attendees.iter().any(|it| {
            it.answer == Answer::Accepted
                && it.kind == "resource"
                && it.address.eq_ignore_ascii_case(address)
        })
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl TenantState {
    /// Lets every room respond whose delay has passed, ordered by the time of response.
    pub(crate) fn settle_rooms(&mut self, now: DateTime<Utc>) {
        let mut due = Vec::new();
        for (event, row) in self.events.iter().enumerate() {
            for (guest, attendee) in row.attendees.iter().enumerate() {
                let waits = attendee.kind == "resource" && attendee.answer == Answer::None;
                let room = self
                    .world
                    .rooms
                    .iter()
                    .find(|it| waits && it.email.eq_ignore_ascii_case(&attendee.address));
                let Some(room) = room else { continue };
                let at = attendee.asked_at + millis(room.answer_after_ms);
                if at <= now {
                    due.push((at, event, guest, room.accepts));
                }
            }
        }
        due.sort_by_key(|(at, event, guest, _)| (*at, *event, *guest));
        for (at, event, guest, accepts) in due {
            let mine = &self.events[event];
            let address = mine.attendees[guest].address.clone();
            let taken = self.events.iter().any(|other| {
                other.id != mine.id && other.has_booked(&address) && other.overlaps(mine)
            });
            let attendee = &mut self.events[event].attendees[guest];
            attendee.answered_at = Some(at);
            attendee.answer = if accepts && !taken {
                Answer::Accepted
            } else {
                Answer::Declined
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::world::{Room, World};

    fn booking(id: &str, start: DateTime<Utc>, room: &str) -> CalendarEvent {
        CalendarEvent {
            id: id.to_owned(),
            owner: Uuid::nil(),
            created_at: start,
            changed_at: start,
            transaction_id: None,
            subject: String::new(),
            start,
            end: start + Duration::hours(1),
            start_zone: "UTC".to_owned(),
            end_zone: "UTC".to_owned(),
            attendees: vec![Attendee {
                kind: "resource".to_owned(),
                name: String::new(),
                address: room.to_owned(),
                asked_at: start,
                answer: Answer::None,
                answered_at: None,
            }],
            join_url: None,
            other: Map::new(),
        }
    }

    #[test]
    fn a_room_answers_in_its_time_and_takes_one_event_at_a_time() {
        let room = |email: &str, accepts| Room {
            name: email.to_owned(),
            email: email.to_owned(),
            capacity: 4,
            building: None,
            accepts,
            answer_after_ms: 1_000,
        };
        let mut state = TenantState::from(World {
            rooms: vec![room("oak@x.example", true), room("elm@x.example", false)],
            ..World::default()
        });
        let noon = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
        state.events = vec![
            booking("a", noon, "OAK@x.example"),
            booking("b", noon + Duration::minutes(30), "oak@x.example"),
            booking("c", noon + Duration::minutes(60), "oak@x.example"),
            booking("d", noon, "elm@x.example"),
        ];
        let answers = |state: &TenantState| -> Vec<Answer> {
            let rows = state.events.iter();
            rows.map(|it| it.attendees[0].answer).collect()
        };
        state.settle_rooms(noon + Duration::milliseconds(999));
        assert_eq!(answers(&state), [Answer::None; 4]);
        state.settle_rooms(noon + Duration::hours(3));
        assert_eq!(
            answers(&state),
            [
                Answer::Accepted,
                Answer::Declined,
                Answer::Accepted,
                Answer::Declined
            ]
        );
        let answered = state.events[0].attendees[0].answered_at;
        assert_eq!(answered, Some(noon + Duration::seconds(1)));
    }
}
