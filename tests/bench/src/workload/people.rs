//! Generates users with the irregularities of a long-lived HR feed.

use chrono::{DateTime, Duration, Utc};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rollcall_domain::base::ids::{FieldId, ObjectId, UserId};
use rollcall_domain::snapshot::lms::{FieldKind, FieldRow, UserRow};
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

use super::skew::Skewed;
use super::words::{COMPANIES, DOMAINS, EMPLOYMENT, cities, departments, job_titles, name, office};

/// The custom fields: short name, title and kind.
pub const CUSTOM: [(&str, &str, FieldKind); 4] = [
    ("hireDate", "Hire Date", FieldKind::Date),
    ("employeeType", "Employee Type", FieldKind::Text),
    ("costCentre", "Cost Centre", FieldKind::Number),
    ("remote", "Works Remotely", FieldKind::Boolean),
];

/// Returns the id of a custom field by its index in [`CUSTOM`].
pub fn field_id(place: usize) -> FieldId {
    FieldId::new(Uuid::from_u128(0xf1e1_d000 + place as u128))
}

pub(super) fn fields() -> Vec<FieldRow> {
    let custom = CUSTOM.iter().enumerate();
    custom
        .map(|(place, (_, title, kind))| FieldRow {
            id: field_id(place),
            title: (*title).to_owned(),
            kind: *kind,
            predefined: false,
        })
        .collect()
}

/// The possible values and their frequencies.
pub(super) struct Society {
    pub(super) cities: Vec<(&'static str, &'static str)>,
    pub(super) departments: Vec<String>,
    pub(super) job_titles: Vec<String>,
    pub(super) city: Skewed,
    pub(super) department: Skewed,
    pub(super) job_title: Skewed,
    pub(super) company: Skewed,
    pub(super) domain: Skewed,
    pub(super) employment: Skewed,
    pub(super) cost_centre: Skewed,
}

impl Society {
    pub(super) fn new() -> Self {
        let (cities, departments, job_titles) = (cities(), departments(), job_titles());
        Self {
            city: Skewed::new(cities.len(), 0.9),
            department: Skewed::new(departments.len(), 0.7),
            job_title: Skewed::new(job_titles.len(), 0.7),
            company: Skewed::new(COMPANIES.len(), 1.1),
            domain: Skewed::new(DOMAINS.len(), 1.0),
            employment: Skewed::new(EMPLOYMENT.len(), 1.5),
            cost_centre: Skewed::new(300, 0.6),
            cities,
            departments,
            job_titles,
        }
    }

    /// Returns one user; `number` makes the mail address unique.
    pub(super) fn person(&self, number: u32, at: DateTime<Utc>, rng: &mut ChaCha8Rng) -> UserRow {
        let (first, last) = name(rng.random_range(0..3_600));
        let rank = self.city.draw(rng);
        let (city, country) = self.cities[rank];
        let email = format!(
            "{}.{}{number}@{}",
            ascii(first),
            ascii(last),
            DOMAINS[self.domain.draw(rng)]
        );
        UserRow {
            id: Some(UserId::new(Uuid::from_u128(rng.random()))),
            login_name: format!("i:0#.f|membership|{email}"),
            title: format!("{first} {last}"),
            object_id: Some(ObjectId::new(Uuid::from_u128(rng.random()))),
            is_group: false,
            email: sometimes(rng, 0.99, email),
            city: text(city, 0.94, rng),
            company: text(COMPANIES[self.company.draw(rng)], 0.95, rng),
            department: text(&self.departments[self.department.draw(rng)], 0.93, rng),
            country: text(country, 0.95, rng),
            office: text(&office(rank, city, number.is_multiple_of(2)), 0.90, rng),
            job_title: text(&self.job_titles[self.job_title.draw(rng)], 0.92, rng),
            custom: self.custom(at, rng),
        }
    }

    fn custom(&self, at: DateTime<Utc>, rng: &mut ChaCha8Rng) -> Vec<(FieldId, String)> {
        let values = [
            hire_date(at, rng),
            EMPLOYMENT[self.employment.draw(rng)].to_owned(),
            cost_centre(self.cost_centre.draw(rng), rng),
            ["true", "false", "False", "Yes", "0"][rng.random_range(0..5)].to_owned(),
        ];
        let placed = values.into_iter().enumerate();
        placed
            .filter_map(|(place, value)| Some((field_id(place), text(&value, 0.95, rng)?)))
            .collect()
    }
}

/// Returns a group, which the platform lists among its users.
pub(super) fn group(number: u32, rng: &mut ChaCha8Rng) -> UserRow {
    UserRow {
        id: Some(UserId::new(Uuid::from_u128(rng.random()))),
        login_name: format!("c:0t.c|tenant|group-{number}"),
        title: format!("Group {number}"),
        is_group: true,
        ..UserRow::default()
    }
}

/// Returns a date up to fifteen years ago, mostly recent; some are next month.
fn hire_date(at: DateTime<Utc>, rng: &mut ChaCha8Rng) -> String {
    if rng.random_bool(0.003) {
        return "soon".to_owned();
    }
    let share: f64 = rng.random();
    let seconds = (share * share * 15.0 * 365.25 * 86_400.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fifteen years are 473 million seconds"
    )]
    let moment = at + Duration::days(30) - Duration::seconds(seconds as i64);
    if rng.random_bool(0.8) {
        moment.format("%Y-%m-%d").to_string()
    } else {
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

fn cost_centre(nth: usize, rng: &mut ChaCha8Rng) -> String {
    let number = 4_000 + 10 * nth;
    match rng.random_range(0..1_000) {
        0..5 => "n/a".to_owned(),
        5..15 => format!("{number},5"),
        _ => number.to_string(),
    }
}

fn sometimes(rng: &mut ChaCha8Rng, chance: f64, value: String) -> Option<String> {
    rng.random_bool(chance).then_some(value)
}

/// Returns a value with the variations of manual input: mostly clean, some in capitals, some with
/// surrounding blanks, some with decomposed letters, some missing.
fn text(value: &str, chance: f64, rng: &mut ChaCha8Rng) -> Option<String> {
    if !rng.random_bool(chance) {
        return rng.random_bool(0.2).then(|| "  ".to_owned());
    }
    Some(match rng.random_range(0..1_000) {
        0..30 => value.to_uppercase(),
        30..50 => format!(" {value}  "),
        50..55 => value.nfd().collect(),
        55..75 => value.to_lowercase(),
        _ => value.to_owned(),
    })
}

/// Returns a name in the spelling of a mailbox.
fn ascii(name: &str) -> String {
    name.nfd()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase()
}
