//! Generates courses, catalogs and enrolments.

use chrono::{DateTime, Duration, Utc};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use super::{WorldSpec, chance, id};
use crate::world::{Catalog, Course, CourseType, Enrolment, Person, Progress};

const CATALOGS: [&str; 4] = [
    "Company Academy",
    "Sales Academy",
    "Compliance",
    "Partner Training",
];

const COURSES: [&str; 16] = [
    "Outlook - Japanese",
    "Security 101",
    "Onboarding: first week",
    "Code of Conduct",
    "Data Protection (GDPR)",
    "Presentation Skills",
    "Excel for Analysts",
    "Customer Success Foundations",
    "Negotiation, advanced",
    "First Aid & Fire Safety",
    "Sécurité au travail",
    "Führung für neue Manager",
    "日本語ビジネスメール",
    "Phishing: \"don't click\"",
    "Leadership Essentials",
    "Diversity and Inclusion",
];

/// Returns the title of the nth catalog.
pub(super) fn catalog_title(at: usize) -> String {
    CATALOGS.get(at).map_or_else(
        || format!("Academy {}", at + 1),
        |title| (*title).to_owned(),
    )
}

/// Generates `count` courses in the catalogs; some are hidden or deleted.
pub(super) fn courses(count: usize, catalogs: &[Catalog], rng: &mut ChaCha8Rng) -> Vec<Course> {
    (0..count)
        .map(|at| {
            let title = COURSES.get(at).map(|title| (*title).to_owned());
            let ordinary = at < COURSES.len();
            Course {
                id: id(rng),
                catalog_id: catalogs[at % catalogs.len()].id,
                title: title.unwrap_or_else(|| format!("Course {}", at + 1)),
                course_type: match at % 8 {
                    3 => CourseType::ClassRoom,
                    5 => CourseType::Webinar,
                    7 => CourseType::TrainingPlan,
                    _ => CourseType::ELearning,
                },
                published: ordinary || !chance(rng, 10),
                deleted: !ordinary && chance(rng, 5),
            }
        })
        .collect()
}

/// Generates enrolment rows of all Learn365 users, `enrolments_per_user` on average.
pub(super) fn enrolments(
    spec: &WorldSpec,
    people: &[Person],
    courses: &[Course],
    rng: &mut ChaCha8Rng,
) -> Vec<Enrolment> {
    let mut rows = Vec::new();
    if courses.is_empty() {
        return rows;
    }
    for person in people.iter().filter_map(|person| person.lms_id) {
        let wanted = spec.enrolments_per_user.max(0.0) * 2.0 * rng.random::<f32>();
        let mut left = wanted.round();
        while left >= 1.0 {
            left -= 1.0;
            let course = courses[rng.random_range(0..courses.len())].id;
            let row = enrolment(spec.as_of, person, course, rng);
            if row.completed_at.is_some() && left >= 1.0 && chance(rng, 8) {
                left -= 1.0;
                rows.push(retake(&row, rng));
            }
            rows.push(row);
        }
    }
    rows
}

fn enrolment(
    as_of: DateTime<Utc>,
    lms_user_id: Uuid,
    course_id: Uuid,
    rng: &mut ChaCha8Rng,
) -> Enrolment {
    let age = Duration::minutes(rng.random_range(0..400 * 24 * 60));
    let registered_at = as_of - age;
    let status = match rng.random_range(0..10) {
        0..5 => Progress::Completed,
        5..8 => Progress::InProgress,
        _ => Progress::NotStarted,
    };
    let completed_at = (status == Progress::Completed)
        .then(|| registered_at + Duration::minutes(rng.random_range(0..=age.num_minutes())));
    // 40 % have no due date, the others are due 10 to 180 days after enrolment.
    let due_at = chance(rng, 60).then(|| registered_at + Duration::days(rng.random_range(10..180)));
    Enrolment {
        id: id(rng),
        course_id,
        lms_user_id,
        status,
        registered_at,
        completed_at,
        due_at,
    }
}

/// Returns an earlier, also completed row of the same user and course.
fn retake(row: &Enrolment, rng: &mut ChaCha8Rng) -> Enrolment {
    let earlier = Duration::days(rng.random_range(30..300));
    Enrolment {
        id: id(rng),
        registered_at: row.registered_at - earlier,
        completed_at: row.completed_at.map(|at| at - earlier),
        due_at: row.due_at.map(|at| at - earlier),
        ..row.clone()
    }
}
