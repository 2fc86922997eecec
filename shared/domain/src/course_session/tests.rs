//! Validation of sessions, and the distribution of learners over events.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::base::ids::{CatalogId, SessionId};
use crate::base::problem::Problem;

fn learner(number: usize) -> Learner {
    Learner {
        name: format!("Learner {number}"),
        address: format!("learner{number}@contoso.com"),
    }
}

pub(super) fn session(learners: impl IntoIterator<Item = usize>) -> CourseSession {
    CourseSession {
        id: SessionId::new(Uuid::from_u128(1)),
        catalog: CatalogId::new(Uuid::from_u128(2)),
        course: None,
        title: "First aid".into(),
        description: "Bring a pen.".into(),
        start: "2026-07-01T08:00:00Z".parse().expect("time not parsed"),
        end: "2026-07-01T10:00:00Z".parse().expect("time not parsed"),
        time_zone: "Europe/Berlin".into(),
        room: None,
        online: false,
        share: false,
        learners: learners.into_iter().map(learner).collect(),
        version: 1,
        status: SessionStatus::Scheduled,
        events: Vec::new(),
        calendar: None,
        join_url: None,
        room_answer: RoomAnswer::NoRoom,
    }
    .tidy()
}

fn room() -> RoomRef {
    RoomRef {
        name: "Attic".into(),
        address: "attic@contoso.com".into(),
    }
}

/// Returns the session after all steps of its plan.
fn carried_out(before: Option<&CourseSession>, wanted: &CourseSession) -> CourseSession {
    let mut stored = wanted.clone();
    stored.events = planned_events(before, wanted);
    let steps = plan(Some(&stored), &stored);
    assert_eq!(
        steps,
        plan(before, wanted),
        "storing the planned events changed the plan"
    );
    for step in steps {
        let id = match step {
            EventStep::Create { transaction_id, .. } => Some(transaction_id.to_string()),
            _ => None,
        };
        record_step(&mut stored, step, id.as_deref());
    }
    stored
}

/// Returns the next version of a session.
fn next(before: &CourseSession, change: impl FnOnce(&mut CourseSession)) -> CourseSession {
    let mut wanted = before.clone();
    wanted.version += 1;
    change(&mut wanted);
    wanted.tidy()
}

fn sizes(session: &CourseSession) -> Vec<usize> {
    session.events.iter().map(|it| it.learners.len()).collect()
}

fn pointers(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|it| it.pointer.as_str()).collect()
}

#[test]
fn a_good_session_has_no_problems_and_survives_storage() {
    let mut good = session(0..3);
    good.room = Some(room());
    assert_eq!(good.problems(), []);
    let good = carried_out(None, &good);
    let text = serde_json::to_string(&good).expect("session not serialized");
    assert!(text.contains("\"timeZone\"") && text.contains("\"roomAnswer\":\"noRoom\""));
    let read: CourseSession = serde_json::from_str(&text).expect("session not deserialized");
    assert_eq!(read, good);
    let newer = text.replacen('{', "{\"fieldOfTheNextRelease\":\"x\",", 1);
    let read: CourseSession = serde_json::from_str(&newer).expect("a rolled-back release fails");
    assert_eq!(read, good);
}

#[test]
fn every_problem_is_named_where_it_is() {
    let mut bad = session(0..2);
    bad.title = " ".into();
    bad.description = "x".repeat(MAX_DESCRIPTION + 1);
    bad.end = bad.start;
    bad.time_zone = "Mars/Base".into();
    bad.room = Some(room());
    bad.room.as_mut().expect("no room").address = "attic".into();
    bad.learners[1].address = "no address".into();
    bad.learners[1].name = "x\n".into();
    let expected = [
        "/title",
        "/description",
        "/end",
        "/timeZone",
        "/room/address",
        "/learners/1/name",
        "/learners/1/address",
    ];
    assert_eq!(pointers(&bad.problems()), expected);
    let mut long = session([]);
    long.title = "x".repeat(MAX_TITLE + 1);
    long.end = long.start + TimeDelta::hours(MAX_HOURS) + TimeDelta::seconds(1);
    assert_eq!(pointers(&long.problems()), ["/title", "/end"]);
    assert_eq!(
        pointers(&session(0..=MAX_LEARNERS).problems()),
        ["/learners"]
    );
    assert_eq!(session(0..MAX_LEARNERS).problems(), []);
}

#[test]
fn a_new_session_is_in_the_future_an_old_one_need_not_be() {
    let session = session(0..1);
    assert_eq!(
        pointers(&session.problems_at_creation(session.start)),
        ["/start"]
    );
    let earlier = session.start - TimeDelta::seconds(1);
    assert_eq!(session.problems_at_creation(earlier), []);
}

#[test]
fn an_address_is_invited_once() {
    let mut twice = session([]);
    let entry = |name: &str, address: &str| Learner {
        name: name.into(),
        address: address.into(),
    };
    twice.learners = vec![
        entry("", "kay@contoso.com"),
        entry("Kay", " KAY@contoso.com "),
        entry("Ada", "ada@contoso.com"),
    ];
    let tidy = twice.tidy();
    let expected = [
        entry("Ada", "ada@contoso.com"),
        entry("Kay", "KAY@contoso.com"),
    ];
    assert_eq!(tidy.learners, expected);
}

/// Proves S1-10 and S1-11: no session without Exchange; without Teams only the meeting is missing.
#[test]
fn licences_that_lack_are_named() {
    let has = |exchange, teams| Capabilities { exchange, teams };
    let mut wanted = session(0..2);
    wanted.online = true;
    let error = degrade(wanted.clone(), has(false, true))
        .expect_err("a session without a calendar was accepted");
    assert!(error.detail.contains("Exchange"), "{error}");
    let (offline, left_out) =
        degrade(wanted.clone(), has(true, false)).expect("session was rejected");
    assert!(!offline.online);
    assert_eq!(pointers(&left_out), ["/online"]);
    assert_eq!(sizes(&carried_out(None, &offline)), [2]);
    let whole = degrade(wanted.clone(), has(true, true)).expect("session was rejected");
    assert_eq!(whole, (wanted, Vec::new()));
}

/// Proves S1-16 and S1-29: room and organisation calendar take places of the first event only.
#[test]
fn the_first_event_has_places_for_room_and_calendar() {
    let mut large = session(0..1_000);
    assert_eq!(sizes(&carried_out(None, &large)), [500, 500]);
    large.room = Some(room());
    assert_eq!(sizes(&carried_out(None, &large)), [499, 500, 1]);
    large.share = true;
    let before = carried_out(None, &large);
    assert_eq!(sizes(&before), [498, 500, 2]);
    let later = next(&before, |it| {
        it.room.as_mut().expect("no room").name = "Loft".into();
    });
    let first_only = [EventStep::Update { part: 0 }];
    assert_eq!(plan(Some(&before), &later), first_only);
}

/// Proves S1-15: learners stay in their part, and free places are filled before a new event is
/// added.
#[test]
fn learners_stay_in_their_event() {
    let before = carried_out(None, &session(0..1_000));
    let leaver = before.events[1].learners[0].clone();
    let without = next(&before, |it| it.learners.retain(|one| one.key() != leaver));
    assert_eq!(
        plan(Some(&before), &without),
        [EventStep::Update { part: 1 }]
    );
    let after = carried_out(Some(&before), &without);
    assert_eq!(after.events[0], before.events[0]);
    let with = next(&after, |it| it.learners.push(learner(2_000)));
    assert_eq!(plan(Some(&after), &with), [EventStep::Update { part: 1 }]);
    let full = carried_out(Some(&after), &with);
    let one_more = next(&full, |it| it.learners.push(learner(2_001)));
    let steps = plan(Some(&full), &one_more);
    assert!(
        matches!(steps[..], [EventStep::Create { part: 2, .. }]),
        "{steps:?}"
    );
    let more = carried_out(Some(&full), &one_more);
    assert_eq!(sizes(&more), [500, 500, 1]);
    let newcomer = learner(2_001).key();
    let fewer = next(&more, |it| it.learners.retain(|one| one.key() != newcomer));
    assert_eq!(plan(Some(&more), &fewer), [EventStep::Cancel { part: 2 }]);
}

/// Proves S1-17: a session is created, changed and cancelled, and no step is repeated.
#[test]
fn a_session_is_created_changed_and_cancelled() {
    let wanted = session(0..600);
    let steps = plan(None, &wanted);
    assert!(
        matches!(
            steps[..],
            [
                EventStep::Create { part: 0, .. },
                EventStep::Create { part: 1, .. }
            ]
        ),
        "{steps:?}"
    );
    assert_eq!(plan(None, &wanted), steps, "a repeated plan differs");
    let before = carried_out(None, &wanted);
    let moved = next(&before, |it| it.end += TimeDelta::hours(1));
    let both = [EventStep::Update { part: 0 }, EventStep::Update { part: 1 }];
    assert_eq!(plan(Some(&before), &moved), both);
    let cancelled = next(&before, |it| it.status = SessionStatus::Cancelled);
    let both = [EventStep::Cancel { part: 0 }, EventStep::Cancel { part: 1 }];
    assert_eq!(plan(Some(&before), &cancelled), both);
    let done = carried_out(Some(&before), &cancelled);
    assert!(done.events.is_empty() && plan(Some(&done), &done).is_empty());
    let again = next(&done, |it| it.status = SessionStatus::Scheduled);
    let anew = plan(Some(&done), &again);
    assert_ne!(
        anew[0], steps[0],
        "a cancelled event was created again with the same id"
    );
}

/// Proves S1-17: the link of the first event is added to the text of the others.
#[test]
fn a_link_that_becomes_known_is_reported_in_the_other_events() {
    let mut wanted = session(0..600);
    wanted.online = true;
    let before = carried_out(None, &wanted);
    let mut linked = before.clone();
    linked.join_url = Some("https://teams.example/j".into());
    assert_eq!(
        plan(Some(&before), &linked),
        [EventStep::Update { part: 1 }]
    );
}

#[test]
fn a_plan_that_broke_off_is_taken_up_again() {
    let mut stored = session(0..600);
    stored.events = planned_events(None, &stored);
    let first = plan(Some(&stored), &stored);
    record_step(&mut stored, first[0], Some("event 0"));
    assert_eq!(plan(Some(&stored), &stored), first[1..]);
    // The response for part 1 is lost; then the title is changed.
    let mut later = next(&stored, |it| it.title = "Second aid".into());
    later.events = planned_events(Some(&stored), &later);
    let steps = plan(Some(&later), &later);
    let expected = [
        EventStep::Update { part: 0 },
        first[1],
        EventStep::Update { part: 1 },
    ];
    assert_eq!(steps, expected);
    record_step(&mut later, steps[0], None);
    record_step(&mut later, steps[1], Some("event 1"));
    assert_eq!(plan(Some(&later), &later), [EventStep::Update { part: 1 }]);
    record_step(&mut later, steps[2], None);
    assert_eq!(plan(Some(&later), &later), []);
    assert_eq!(later.events[0].event_id.as_deref(), Some("event 0"));
    // Cancelled before its id was known: it has to be found first.
    let mut unknown = stored.clone();
    unknown.status = SessionStatus::Cancelled;
    let steps = plan(Some(&unknown), &unknown);
    let expected = [
        EventStep::Cancel { part: 0 },
        first[1],
        EventStep::Cancel { part: 1 },
    ];
    assert_eq!(steps, expected);
    for step in steps {
        record_step(&mut unknown, step, Some("event 1"));
    }
    assert!(unknown.events.is_empty());
}

/// Proves S1-17: an event that was deleted in the calendar is created as another one, with the same
/// learners.
#[test]
fn an_event_that_was_lost_is_made_again() {
    let mut session = carried_out(None, &session(0..600));
    let (before, first) = (session.clone(), plan(None, &session));
    forget_event(&mut session, 1);
    let steps = plan(Some(&session), &session);
    assert!(
        matches!(steps[..], [EventStep::Create { part: 1, .. }]),
        "{steps:?}"
    );
    assert!(
        !first.contains(&steps[0]),
        "the transaction id did not change"
    );
    assert!(session.version > before.version);
    record_step(&mut session, steps[0], Some("another"));
    assert_eq!(plan(Some(&session), &session), []);
    assert_eq!(session.events[0], before.events[0]);
    assert_eq!(session.events[1].learners, before.events[1].learners);
    forget_event(&mut session, 7);
    assert_eq!(plan(Some(&session), &session), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Proves S1-15, S1-16, S1-17 and S1-29: after any changes every learner is in exactly one
    /// event, no event is too large, an applied plan leaves no steps, and the order of learners
    /// does not matter.
    #[test]
    fn everyone_is_invited_exactly_once(
        changes in prop::collection::vec((0usize..1_500, 0usize..1_500, any::<bool>(), any::<bool>()), 1..4),
    ) {
        let mut before: Option<CourseSession> = None;
        for (version, (from, count, with_room, share)) in (1u64..).zip(changes) {
            let mut wanted = session(from..from + count);
            wanted.version = version;
            wanted.room = with_room.then(room);
            wanted.share = share;
            let mut turned = wanted.clone();
            turned.learners.reverse();
            prop_assert_eq!(arrange(before.as_ref(), &turned), arrange(before.as_ref(), &wanted));
            let after = carried_out(before.as_ref(), &wanted);
            let invited: Vec<_> = after.events.iter().flat_map(|it| it.learners.iter().cloned()).collect();
            let everyone: BTreeSet<_> = wanted.learners.iter().map(Learner::key).collect();
            prop_assert_eq!(invited.len(), everyone.len());
            prop_assert_eq!(invited.into_iter().collect::<BTreeSet<_>>(), everyone);
            for event in &after.events {
                let others = if event.part == 0 { usize::from(with_room) + usize::from(share) } else { 0 };
                prop_assert!(event.learners.len() + others <= MOST_ATTENDEES);
                prop_assert!(event.event_id.is_some());
                if let Some(was) = before.as_ref().and_then(|it| it.events.iter().find(|was| was.part == event.part)) {
                    prop_assert_eq!(&was.event_id, &event.event_id);
                }
            }
            prop_assert_eq!(plan(Some(&after), &after), []);
            before = Some(after);
        }
    }
}
