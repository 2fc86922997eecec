//! Plans the calendar events of a session: learners are distributed over parts.
//!
//! An event holds 500 attendees, so a large session has several events. The first one (part 0)
//! books the room, has the Teams meeting and invites the organisation's calendar. The others
//! contain the meeting link in their text.
//!
//! Progress is stored in the session's events, so an interrupted plan can be repeated: store the
//! events of [`planned_events`] with the session, apply the steps of [`plan`] one by one, and store
//! the result of [`record_step`] after each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::session::{CourseSession, RoomAnswer, SessionEvent, SessionStatus};
use super::short_hash::short_hash;

/// Maximum attendees of an event, room and organisation calendar included:
/// <https://learn.microsoft.com/graph/api/resources/event>.
pub const MOST_ATTENDEES: usize = 500;

/// One change in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum EventStep {
    /// Creates the event of a part. The transaction id makes a repeated creation idempotent.
    #[serde(rename_all = "camelCase")]
    Create {
        /// Number of the part.
        part: u32,
        /// See [`transaction_id`].
        transaction_id: Uuid,
    },
    /// Updates the event of a part.
    Update {
        /// Number of the part.
        part: u32,
    },
    /// Cancels the event of a part.
    Cancel {
        /// Number of the part.
        part: u32,
    },
}

impl EventStep {
    /// Returns the number of the part.
    pub const fn part(self) -> u32 {
        match self {
            Self::Create { part, .. } | Self::Update { part } | Self::Cancel { part } => part,
        }
    }
}

/// Returns the transaction id of a part's event, derived from the session, the part and the version
/// in which it was first planned. A part that is planned again after a cancellation gets another
/// id.
pub fn transaction_id(session: &CourseSession, event: &SessionEvent) -> Uuid {
    let name = format!("part {} of version {}", event.part, event.created);
    Uuid::new_v5(&session.id.uuid(), name.as_bytes())
}

/// Returns the events that the session should have, in order of their parts: those of `before` with
/// their new learners, and new ones.
///
/// A learner stays in the same part if there is a place. New learners fill the first free places
/// before a part is added. A part without learners is dropped, except part 0. A cancelled session
/// has no events.
///
/// The events of `wanted` are ignored.
pub fn arrange(before: Option<&CourseSession>, wanted: &CourseSession) -> Vec<SessionEvent> {
    if wanted.status == SessionStatus::Cancelled {
        return Vec::new();
    }
    let known = known(before);
    let mut filled = spread(&known, wanted);
    filled.retain(|part, learners| *part == 0 || !learners.is_empty());
    let events = filled.into_iter().map(|(part, learners)| SessionEvent {
        part,
        created: known.get(&part).map_or(wanted.version, |it| it.created),
        event_id: known.get(&part).and_then(|it| it.event_id.clone()),
        learners: learners.into_iter().collect(),
        sent: Some(fingerprint(part, wanted)),
    });
    events.collect()
}

/// Returns the events to store before the first step: the existing ones unchanged, and the new ones
/// without learners and fingerprint. A step whose response is lost is then repeated with the same
/// id.
pub fn planned_events(before: Option<&CourseSession>, wanted: &CourseSession) -> Vec<SessionEvent> {
    let known = known(before);
    let arranged = arrange(before, wanted);
    let new = arranged
        .into_iter()
        .filter(|it| !known.contains_key(&it.part));
    let planned = new.map(|it| SessionEvent {
        learners: Vec::new(),
        sent: None,
        ..it
    });
    let mut events: Vec<_> = known
        .values()
        .map(|it| (*it).clone())
        .chain(planned)
        .collect();
    events.sort_by_key(|it| it.part);
    events
}

/// Returns the calendar steps that turn the events of `before` into those of `wanted`; correct
/// events need none. Part 0 comes first, because the others need its link.
///
/// An event of an earlier version without a known id may exist with the earlier data: it is created
/// again, which finds it, and then updated. If it is no longer needed, it is created and then
/// cancelled; [`arrange`] has no such part, so it is created without attendees.
pub fn plan(before: Option<&CourseSession>, wanted: &CourseSession) -> Vec<EventStep> {
    let known = known(before);
    let arranged = arrange(before, wanted);
    let kept: BTreeSet<_> = arranged.iter().map(|event| event.part).collect();
    let mut steps = Vec::new();
    for event in &arranged {
        let part = event.part;
        let is_right =
            |was: &&SessionEvent| was.learners == event.learners && was.sent == event.sent;
        if event.event_id.is_none() {
            let transaction_id = transaction_id(wanted, event);
            steps.push(EventStep::Create {
                part,
                transaction_id,
            });
            if event.created < wanted.version {
                steps.push(EventStep::Update { part });
            }
        } else if !known.get(&part).copied().as_ref().is_some_and(is_right) {
            steps.push(EventStep::Update { part });
        }
    }
    let gone = known.keys().filter(|part| !kept.contains(part));
    // An event can be cancelled only by its id, which the creation returns. It has no attendees, so
    // the creation sends no invitations.
    for part in gone {
        let event = known[part];
        if event.event_id.is_none() {
            let transaction_id = transaction_id(wanted, event);
            steps.push(EventStep::Create {
                part: *part,
                transaction_id,
            });
        }
        steps.push(EventStep::Cancel { part: *part });
    }
    steps
}

/// Updates the session's events after a step of [`plan`]. `event_id` is the id that a creation
/// returned; it is `None` for other steps.
pub fn record_step(session: &mut CourseSession, step: EventStep, event_id: Option<&str>) {
    let part = step.part();
    let arranged = arrange(Some(session), session);
    let right = arranged.into_iter().find(|event| event.part == part);
    let index = session.events.iter().position(|event| event.part == part);
    match (step, index, right) {
        (EventStep::Cancel { .. }, Some(index), _) => {
            session.events.remove(index);
        }
        (EventStep::Create { .. }, Some(index), right) => {
            let event = &mut session.events[index];
            event.event_id = event_id.map(str::to_owned);
            // An event of an earlier version may still have the data of that version.
            if let Some(right) = right.filter(|it| it.created == session.version) {
                (event.learners, event.sent) = (right.learners, right.sent);
            }
        }
        (EventStep::Update { .. }, Some(index), Some(right)) => session.events[index] = right,
        (EventStep::Create { .. }, None, Some(right)) => {
            let event_id = event_id.map(str::to_owned);
            session.events.push(SessionEvent { event_id, ..right });
            session.events.sort_by_key(|event| event.part);
        }
        _ => {}
    }
}

/// Records that the event of a part no longer exists in the calendar, because it was deleted there
/// or another account was connected. A new event is planned with a new transaction id, because the
/// calendar may still know the old one.
pub fn forget_event(session: &mut CourseSession, part: u32) {
    let Some(event) = session.events.iter_mut().find(|event| event.part == part) else {
        return;
    };
    session.version = session.version.max(event.created + 1);
    *event = SessionEvent {
        part,
        created: session.version,
        event_id: None,
        learners: std::mem::take(&mut event.learners),
        sent: None,
    };
}

/// Closes a session that ended long ago: a room that has not answered never will, and the remaining
/// steps are dropped.
pub fn cancel(session: &mut CourseSession) {
    if session.room_answer == RoomAnswer::Waiting {
        session.room_answer = RoomAnswer::NoRoom;
    }
    session.events = arrange(Some(session), session);
    for event in &mut session.events {
        // An event without an id will not be created any more.
        event.event_id.get_or_insert_default();
    }
}

type Parts = BTreeMap<u32, BTreeSet<String>>;

fn known(before: Option<&CourseSession>) -> BTreeMap<u32, &SessionEvent> {
    let events = before.into_iter().flat_map(|session| &session.events);
    events.map(|event| (event.part, event)).collect()
}

/// Returns the number of places for learners in a part.
fn places(part: u32, wanted: &CourseSession) -> usize {
    let others = usize::from(wanted.room.is_some()) + usize::from(wanted.share);
    MOST_ATTENDEES - if part == 0 { others } else { 0 }
}

/// Distributes the learners over the parts.
fn spread(known: &BTreeMap<u32, &SessionEvent>, wanted: &CourseSession) -> Parts {
    let home: BTreeMap<&str, u32> = known
        .iter()
        .flat_map(|(part, event)| event.learners.iter().map(|key| (key.as_str(), *part)))
        .collect();
    let mut parts: Parts = known.keys().map(|part| (*part, BTreeSet::new())).collect();
    parts.entry(0).or_default();
    let everyone: BTreeSet<_> = wanted
        .learners
        .iter()
        .map(super::session::Learner::key)
        .collect();
    let mut homeless = Vec::new();
    for key in everyone {
        let part = home.get(key.as_str()).copied();
        let own = part.and_then(|part| Some((part, parts.get_mut(&part)?)));
        match own.filter(|(part, inside)| inside.len() < places(*part, wanted)) {
            Some((_, inside)) => {
                inside.insert(key);
            }
            None => homeless.push(key),
        }
    }
    let mut homeless = homeless.into_iter();
    for (part, inside) in &mut parts {
        let free = places(*part, wanted) - inside.len();
        inside.extend(homeless.by_ref().take(free));
    }
    // New parts get the highest numbers, so that a repeated plan, in which they are already known,
    // fills them in the same order.
    let first = parts.keys().next_back().map_or(0, |last| last + 1);
    let rest: Vec<_> = homeless.collect();
    let new = (first..).zip(rest.chunks(MOST_ATTENDEES));
    parts.extend(new.map(|(part, some)| (part, some.iter().cloned().collect())));
    parts
}

/// Returns a fingerprint of all data of a part's event except the learners.
fn fingerprint(part: u32, wanted: &CourseSession) -> String {
    let first = (part == 0).then_some((&wanted.room, wanted.online, wanted.share));
    let link = wanted
        .join_url
        .as_ref()
        .filter(|_| part > 0 && wanted.online);
    let content = serde_json::json!([
        wanted.title,
        wanted.description,
        wanted.start,
        wanted.end,
        wanted.time_zone,
        first,
        link,
    ]);
    short_hash(content.to_string().as_bytes())
}
