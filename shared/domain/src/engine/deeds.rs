//! What a few people did, as a bitmap for each test that asks.

use super::compile::Program;
use super::deed::{COMPLETED, DUE, Deed, IN_PROGRESS, LATE};
use super::index::PersonIndex;
use super::rows::Part;
use super::tests_of_people::window;
use crate::rules::ActivityTest;

/// About so many courses has one person.
const DEEDS: usize = 32;

/// The tests about courses, answered for a few people.
pub(super) struct Deeds {
    /// The bitmaps behind each other.
    words: Vec<u64>,
    /// Words of one.
    width: usize,
    /// By number of the test: which bitmap is its.
    bitmaps: Vec<Option<usize>>,
}

/// A test about a course. Whoever has one of some marks passes it, and whoever
/// has a moment among some seconds: no case is told from another, because which
/// it is cannot be foreseen.
struct Question {
    marks: u8,
    /// [`DUE`] if due dates are asked for, 0 if completions are.
    kind: u8,
    /// The first second, and how many there are.
    first: u32,
    seconds: u32,
}

/// The mark of everyone who is enrolled, beside those of a deed.
const ENROLLED: u8 = 16;

/// The tests about courses somebody is enrolled in, course by course.
struct Questions {
    each: Vec<Question>,
    /// The number of each test.
    tests: Vec<usize>,
    /// Where those about each course begin; one number more than courses.
    begins: Vec<usize>,
}

impl Deeds {
    /// Asks about the people in these rows; `now` in milliseconds since 1970 UTC.
    pub(super) fn of(
        program: &Program<'_>,
        index: &PersonIndex<'_>,
        rows: &[u32],
        now: i64,
    ) -> Self {
        let Questions {
            each: questions,
            tests,
            begins,
        } = Questions::of(program, index, now);
        let width = rows.len().div_ceil(64);
        let mut words = vec![0; questions.len() * width];
        for (block, rows) in rows.chunks(64).enumerate() {
            // Gathered first: the memory of many people is waited for at once.
            let mut gathered = Vec::with_capacity(64 * DEEDS);
            let ends = rows.iter().map(|row| {
                gathered.extend_from_slice(index.deeds(*row));
                gathered.len()
            });
            let ends: Vec<usize> = ends.collect();
            let (mut here, mut begin) = (vec![0; questions.len()], 0);
            for (bit, end) in ends.into_iter().enumerate() {
                for deed in &gathered[begin..end] {
                    let asked = begins[deed.course()]..begins[deed.course() + 1];
                    ask(&questions[asked.clone()], *deed, bit, &mut here[asked]);
                }
                begin = end;
            }
            let there = words.iter_mut().skip(block).step_by(width.max(1));
            there.zip(here).for_each(|(there, here)| *there = here);
        }
        let mut bitmaps = vec![None; program.leaves.len()];
        for (place, test) in tests.into_iter().enumerate() {
            bitmaps[test] = Some(place);
        }
        Self {
            words,
            width,
            bitmaps,
        }
    }

    /// Who passes the test with this number, if anybody is enrolled.
    pub(super) fn part(&self, test: usize) -> Option<Part<'_>> {
        let begin = self.bitmaps[test]? * self.width;
        Some(Part::Marked(&self.words[begin..begin + self.width]))
    }
}

/// Sets a bit in the word of each question that the deed passes.
fn ask(questions: &[Question], deed: Deed, bit: usize, words: &mut [u64]) {
    let marks = deed.marks() | ENROLLED;
    for (question, word) in questions.iter().zip(words) {
        let within = deed.moment.wrapping_sub(question.first) < question.seconds;
        let dated = u64::from(within) & u64::from(question.kind == marks & DUE);
        *word |= (dated | u64::from(question.marks & marks != 0)) << bit;
    }
}

impl Questions {
    fn of(program: &Program<'_>, index: &PersonIndex<'_>, now: i64) -> Self {
        let enrolments = &index.snapshot.enrolments;
        let (mut each, mut tests) = (Vec::new(), Vec::new());
        let mut begins = vec![0; enrolments.iter().len() + 1];
        // Courses ascend in both.
        for (number, course, test) in &program.asked.activities {
            if let Some(course) = enrolments.place(*course) {
                begins[course + 1] += 1;
                tests.push(*number);
                each.push(Question::of(*test, now));
            }
        }
        let mut so_far = 0;
        for begin in &mut begins {
            so_far += *begin;
            *begin = so_far;
        }
        Self {
            each,
            tests,
            begins,
        }
    }
}

impl Question {
    fn of(test: ActivityTest, now: i64) -> Self {
        let window = window(test, now);
        Self {
            marks: match test {
                ActivityTest::Enrolled => ENROLLED,
                ActivityTest::Completed => COMPLETED,
                ActivityTest::InProgress => IN_PROGRESS,
                ActivityTest::Overdue => LATE,
                ActivityTest::CompletedInLast(_) => 0,
            },
            kind: if test == ActivityTest::Overdue {
                DUE
            } else {
                0
            },
            // The first is never 0, so there are always few enough.
            first: window.map_or(0, |window| window.first),
            seconds: window.map_or(0, |window| window.last - window.first + 1),
        }
    }
}
