//! Generates courses and enrolments: a few courses are taken by almost all users, most by few.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use rand::RngExt as _;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rollcall_domain::base::ids::{CatalogId, CourseId, UserId};
use rollcall_domain::snapshot::lms::{CatalogRow, CourseRow, EnrolmentRow, Progress};
use uuid::Uuid;

use super::skew::weights;

/// The number of courses.
pub const COURSES: usize = 400;

pub(super) fn catalog() -> CatalogRow {
    CatalogRow {
        id: CatalogId::new(Uuid::from_u128(0xca7a_1060)),
        title: "Academy".to_owned(),
    }
}

pub(super) fn courses(rng: &mut ChaCha8Rng) -> Vec<CourseRow> {
    (0..COURSES)
        .map(|nth| CourseRow {
            id: CourseId::new(Uuid::from_u128(rng.random())),
            catalog: catalog().id,
            title: format!("Course {}", nth + 1),
            published: true,
            deleted: false,
        })
        .collect()
}

/// Generates exactly `count` rows; three percent of them are retakes.
pub(super) fn enrolments(
    count: usize,
    people: &[UserId],
    courses: &[CourseRow],
    at: DateTime<Utc>,
    rng: &mut ChaCha8Rng,
) -> Vec<EnrolmentRow> {
    let retakes = count * 3 / 100;
    let mut rows = Vec::with_capacity(count);
    for (course, size) in courses
        .iter()
        .zip(class_sizes(count - retakes, people.len()))
    {
        for person in sample(rng, people.len(), size) {
            rows.push(enrolment(course.id, people[person], at, rng));
        }
    }
    let mut retaken = HashSet::new();
    while retaken.len() < retakes.min(rows.len() / 2) {
        retaken.insert(rng.random_range(0..rows.len()));
    }
    let mut retaken: Vec<usize> = retaken.into_iter().collect();
    retaken.sort_unstable();
    for place in retaken {
        let (course, user) = (rows[place].course, rows[place].user);
        rows.push(enrolment(course, user, at, rng));
    }
    rows
}

/// Returns the number of users of each course; no course has more than seven tenths of them.
fn class_sizes(count: usize, people: usize) -> Vec<usize> {
    let weights = weights(COURSES, 0.7);
    let cap = people * 7 / 10;
    let (mut left, mut weight_left) = (count, weights.iter().sum::<f64>());
    let mut sizes = Vec::with_capacity(COURSES);
    for weight in weights {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of at most some ten million rows"
        )]
        let share = (left as f64 * weight / weight_left).round() as usize;
        let size = share.min(cap).min(left);
        sizes.push(size);
        left -= size;
        weight_left -= weight;
    }
    sizes
}

fn enrolment(
    course: CourseId,
    user: UserId,
    at: DateTime<Utc>,
    rng: &mut ChaCha8Rng,
) -> EnrolmentRow {
    let progress = match rng.random_range(0..100) {
        0..62 => Progress::Completed,
        62..80 => Progress::InProgress,
        _ => Progress::NotStarted,
    };
    let share: f64 = rng.random();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "three years are 95 million seconds"
    )]
    let enrolled = at - Duration::seconds((share * 3.0 * 365.25 * 86_400.0) as i64);
    let taken = Duration::seconds(rng.random_range(3_600..120 * 86_400));
    let completed = (progress == Progress::Completed && rng.random_bool(0.995))
        .then(|| (enrolled + taken).min(at - Duration::seconds(1)));
    let due = rng
        .random_bool(0.35)
        .then(|| enrolled + Duration::days(rng.random_range(14..365)));
    EnrolmentRow {
        course,
        user,
        progress,
        completed_at: completed,
        due_at: due,
    }
}
