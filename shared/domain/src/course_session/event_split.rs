//! Which calendar events a session needs: learners spread over parts, and what to do about each.
//!
//! An event holds 500 attendees, so a large session is several events. The first
//! (part 0) is the session proper: it books the room, has the Teams meeting and
//! invites the organisation's calendar. The others carry the link in their text.
//!
//! What was done is remembered in the events themselves, so a plan that broke
//! off can be made again: store [`begin`]'s events with the session, carry out
//! [`plan`]'s steps one by one, and store what [`settle`] makes of each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::session::{CourseSession, RoomAnswer, SessionEvent, SessionStatus};
use super::short_hash::short_hash;

/// Attendees of one event, room and organisation calendar included:
/// <https://learn.microsoft.com/graph/api/resources/event>.
pub const MOST_ATTENDEES: usize = 500;

/// One thing to do in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum EventStep {
    /// Create the event of a part. With the same transaction id it is the same
    /// event, however often it is tried.
    #[serde(rename_all = "camelCase")]
    Create {
        /// The part.
        part: u32,
        /// See [`transaction_id`].
        transaction_id: Uuid,
    },
    /// Tell the event of a part what it should be.
    Update {
        /// The part.
        part: u32,
    },
    /// Cancel the event of a part.
    Cancel {
        /// The part.
        part: u32,
    },
}

impl EventStep {
    /// The part whose event it is about.
    pub const fn part(self) -> u32 {
        match self {
            Self::Create { part, .. } | Self::Update { part } | Self::Cancel { part } => part,
        }
    }
}

/// The transaction id of a part's event: made of the session, the part and the
/// version it was first planned in. A part that was cancelled and comes back
/// later is another event.
pub fn transaction_id(session: &CourseSession, event: &SessionEvent) -> Uuid {
    let name = format!("part {} of version {}", event.part, event.created);
    Uuid::new_v5(&session.id.uuid(), name.as_bytes())
}

/// The events that the session should have, in order of their parts: those it
/// had `before`, with whom they should hold now, and new ones.
///
/// A learner stays in the part he is in as long as he fits. Who is new fills
/// the first free places, and only then a new part. A part without learners is
/// given up, but for part 0. A cancelled session has no events.
///
/// Of `wanted`, the events are not looked at.
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

/// The events to store with the session before the first step is done: those
/// it had, unchanged, and the new ones as planned but told nothing yet. So a
/// step whose answer is lost is later repeated as the same one.
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

/// What has to be done in the calendar so that the events of `before` become
/// those of `wanted`: nothing for those that are right already. Part 0 comes
/// first, since the others need its link.
///
/// An event that was planned in an earlier version, and whose id is not known,
/// may be there with what it was told then: it is created once more (which
/// finds it) and updated. If it is not wanted any more it is created and then
/// cancelled: [`arrange`] has no part of it, so it is created without attendees.
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
    // Without an id nothing can be cancelled; creating it tells the id.
    // Since nobody is arranged to be in it, nobody is invited by that.
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

/// The session's events once a step of [`plan`] is done. `event_id` is what a
/// creation told; the other steps tell none.
pub fn record_step(session: &mut CourseSession, step: EventStep, event_id: Option<&str>) {
    let part = step.part();
    let arranged = arrange(Some(session), session);
    let right = arranged.into_iter().find(|event| event.part == part);
    let place = session.events.iter().position(|event| event.part == part);
    match (step, place, right) {
        (EventStep::Cancel { .. }, Some(place), _) => {
            session.events.remove(place);
        }
        (EventStep::Create { .. }, Some(place), right) => {
            let event = &mut session.events[place];
            event.event_id = event_id.map(str::to_owned);
            // What was planned earlier may hold what it was told then.
            if let Some(right) = right.filter(|it| it.created == session.version) {
                (event.learners, event.sent) = (right.learners, right.sent);
            }
        }
        (EventStep::Update { .. }, Some(place), Some(right)) => session.events[place] = right,
        (EventStep::Create { .. }, None, Some(right)) => {
            let event_id = event_id.map(str::to_owned);
            session.events.push(SessionEvent { event_id, ..right });
            session.events.sort_by_key(|event| event.part);
        }
        _ => {}
    }
}

/// Notes that the event of a part is no longer in the calendar: somebody deleted
/// it there, or another account was connected. It is planned anew, and as another
/// event, because the calendar may still know the old transaction id.
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

/// Ends all that could still follow, once the session is long over: a room that
/// has not answered never will, and steps that are left help nobody.
pub fn cancel(session: &mut CourseSession) {
    if session.room_answer == RoomAnswer::Waiting {
        session.room_answer = RoomAnswer::NoRoom;
    }
    session.events = arrange(Some(session), session);
    for event in &mut session.events {
        // Nobody will create what was never created.
        event.event_id.get_or_insert_default();
    }
}

type Parts = BTreeMap<u32, BTreeSet<String>>;

fn known(before: Option<&CourseSession>) -> BTreeMap<u32, &SessionEvent> {
    let events = before.into_iter().flat_map(|session| &session.events);
    events.map(|event| (event.part, event)).collect()
}

/// Places for learners in a part.
fn places(part: u32, wanted: &CourseSession) -> usize {
    let others = usize::from(wanted.room.is_some()) + usize::from(wanted.share);
    MOST_ATTENDEES - if part == 0 { others } else { 0 }
}

/// Who goes into which part.
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
    // New parts come behind all others, so that whoever plans again, with the
    // new ones known by then, fills them in the same order.
    let first = parts.keys().next_back().map_or(0, |last| last + 1);
    let rest: Vec<_> = homeless.collect();
    let new = (first..).zip(rest.chunks(MOST_ATTENDEES));
    parts.extend(new.map(|(part, some)| (part, some.iter().cloned().collect())));
    parts
}

/// Fingerprint of everything but the learners that the event of a part is told.
fn fingerprint(part: u32, wanted: &CourseSession) -> String {
    let first = (part == 0).then_some((&wanted.room, wanted.online, wanted.share));
    let link = wanted
        .join_url
        .as_ref()
        .filter(|_| part > 0 && wanted.online);
    let told = serde_json::json!([
        wanted.title,
        wanted.description,
        wanted.start,
        wanted.end,
        wanted.time_zone,
        first,
        link,
    ]);
    short_hash(told.to_string().as_bytes())
}
