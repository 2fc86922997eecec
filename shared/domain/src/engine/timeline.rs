//! Rows in the order of time, so that those between two moments are found without the others.

use super::tests_of_people::Window;
use crate::snapshot::Postings;

/// Bits of a moment that are sorted by at once.
const DIGIT: u32 = 11;

/// What happened to whom, sorted by moments.
#[derive(Debug)]
pub(super) struct Timeline(Vec<Event>);

/// A moment of one person, in one course or in none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Event {
    pub(super) moment: u32,
    pub(super) row: u32,
    /// The place of the course among the snapshot's.
    pub(super) course: u32,
}

impl Timeline {
    /// The moments of courses: the place of each, its rows, and a moment for
    /// each row, of which 0 is unknown and lies between no two.
    pub(super) fn of(courses: &[(u32, &Postings, &[u32])]) -> Self {
        let count = courses.iter().map(|(_, _, moments)| moments.len()).sum();
        let mut events = Vec::with_capacity(count);
        for (course, rows, moments) in courses {
            let mut moments = moments.iter();
            rows.for_each(|row| {
                let moment = moments.next().copied().filter(|moment| *moment != 0);
                events.extend(moment.map(|moment| Event {
                    moment,
                    row,
                    course: *course,
                }));
            });
        }
        Self::sorted(events)
    }

    /// Sorts digit by digit, the lowest first: so many moments are sorted faster
    /// than by comparing them.
    pub(super) fn sorted(mut events: Vec<Event>) -> Self {
        let mut spare = vec![Event::default(); events.len()];
        for shift in (0..u32::BITS).step_by(DIGIT as usize) {
            let digit = |event: &Event| (event.moment >> shift) as usize & ((1 << DIGIT) - 1);
            let mut next = [0; 1 << DIGIT];
            for event in &events {
                next[digit(event)] += 1;
            }
            let mut so_far = 0;
            for next in &mut next {
                so_far += *next;
                *next = so_far - *next;
            }
            for event in &events {
                let next = &mut next[digit(event)];
                spare[*next] = *event;
                *next += 1;
            }
            std::mem::swap(&mut events, &mut spare);
        }
        Self(events)
    }

    /// All moments in a window.
    pub(super) fn within(&self, window: Window) -> &[Event] {
        let begin = self.0.partition_point(|event| event.moment < window.first);
        let rest = &self.0[begin..];
        &rest[..rest.partition_point(|event| event.moment <= window.last)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_holds_the_moments_between_its_ends(
            moments in proptest::collection::vec(prop_oneof![Just(0u32), 1u32..300, Just(u32::MAX), any::<u32>()], 0..300),
            first in prop_oneof![1u32..300, any::<u32>()], seconds in prop_oneof![0u32..300, any::<u32>()],
        ) {
            let first = first.max(1);
            let window = Window { first, last: first.saturating_add(seconds) };
            let rows = Postings::Sparse((0u32..).take(moments.len()).collect());
            let (one, other) = moments.split_at(moments.len() / 2);
            let rest = Postings::Sparse((0u32..).take(other.len()).collect());
            let timeline = Timeline::of(&[(0, &rows, one), (1, &rest, other)]);
            let mut found: Vec<(u32, u32)> = timeline.within(window).iter().map(|event| (event.course, event.row)).collect();
            found.sort_unstable();
            let among = |course: u32, moments: &[u32]| -> Vec<(u32, u32)> {
                let held = (0u32..).zip(moments).filter(|(_, at)| (window.first..=window.last).contains(*at));
                held.map(|(row, _)| (course, row)).collect()
            };
            prop_assert_eq!(found, [among(0, one), among(1, other)].concat());
        }
    }
}
