//! Generates single predicates: a field, an operator and an operand that occurs in the data.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rollcall_domain::snapshot::lms::CourseRow;
use serde_json::{Value, json};

use super::super::people::{Society, field_id};
use super::super::skew::Skewed;
use super::super::words::{AREAS, COMPANIES, DOMAINS, EMPLOYMENT, ROLES, office};

/// Generates rules for a population; frequent values are also frequent in rules.
pub(super) struct Author<'a> {
    pub(super) society: &'a Society,
    pub(super) courses: &'a [CourseRow],
    pub(super) course: Skewed,
    pub(super) rng: &'a mut ChaCha8Rng,
}

fn rule(field: impl Into<String>, operator: &str, value: Value) -> Value {
    json!({"field": field.into(), "operator": operator, "value": value})
}

fn custom(place: usize) -> String {
    format!("custom:{}", field_id(place))
}

impl Author<'_> {
    /// Returns any predicate on a property.
    pub(super) fn property(&mut self) -> Value {
        match self.rng.random_range(0..100) {
            0..16 => self.city(),
            16..30 => self.country(),
            30..46 => self.department(),
            46..54 => self.company(),
            54..60 => self.office(),
            60..78 => self.job(),
            78..83 => self.address(),
            83..92 => self.employment(),
            92..96 => self.number(),
            96..98 => rule(custom(3), "=", json!(self.rng.random_bool(0.5))),
            _ => self.presence(),
        }
    }

    /// Returns a selective predicate, suitable for an "or".
    pub(super) fn narrow(&mut self) -> Value {
        match self.rng.random_range(0..6) {
            0 | 1 => self.city(),
            2 => self.office(),
            3 => self.number(),
            4 => rule("jobTitle", "=", json!(self.title())),
            _ => rule("department", "=", json!(self.unit())),
        }
    }

    fn place(&mut self) -> (usize, &'static str, &'static str) {
        let rank = self.society.city.draw(self.rng);
        let (city, country) = self.society.cities[rank];
        (rank, city, country)
    }

    fn title(&mut self) -> String {
        self.society.job_titles[self.society.job_title.draw(self.rng)].clone()
    }

    fn unit(&mut self) -> String {
        self.society.departments[self.society.department.draw(self.rng)].clone()
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.rng.random_range(0..words.len())]
    }

    /// Returns a predicate on the city.
    pub(super) fn city(&mut self) -> Value {
        let (_, city, _) = self.place();
        match self.rng.random_range(0..20) {
            0..3 => {
                let more: Vec<_> = (0..self.rng.random_range(2..6))
                    .map(|_| self.place().1)
                    .collect();
                rule("city", "in", json!(more))
            }
            3 => rule("city", "in", json!(format!("{city}, {}", self.place().1))),
            4 => rule("city", "!=", json!(city)),
            // Operands contain the same spelling variations as values.
            5 => rule("city", "=", json!(format!(" {}", city.to_lowercase()))),
            _ => rule("city", "=", json!(city)),
        }
    }

    fn country(&mut self) -> Value {
        let (_, _, country) = self.place();
        match self.rng.random_range(0..10) {
            0..3 => {
                let more: Vec<_> = (0..self.rng.random_range(2..8))
                    .map(|_| self.place().2)
                    .collect();
                rule("country", "in", json!(more))
            }
            3 => rule("country", "notIn", json!([country, self.place().2])),
            4 => rule("country", "!=", json!(country)),
            _ => rule("country", "=", json!(country)),
        }
    }

    fn department(&mut self) -> Value {
        let unit = self.unit();
        match self.rng.random_range(0..10) {
            0 => rule("department", "contains", json!(unit.split(' ').next())),
            1 => rule("department", "endsWith", json!("operations")),
            2 => rule("department", "beginsWith", json!(unit.split(' ').next())),
            3 => rule("department", "!=", json!(unit)),
            4 => rule("department", "in", json!([unit, self.unit()])),
            _ => rule("department", "=", json!(unit)),
        }
    }

    fn company(&mut self) -> Value {
        let company = COMPANIES[self.society.company.draw(self.rng)];
        match self.rng.random_range(0..10) {
            0 => rule("company", "!=", json!(company)),
            1..3 => rule("company", "beginsWith", json!(company.split(' ').next())),
            _ => rule("company", "=", json!(company)),
        }
    }

    fn office(&mut self) -> Value {
        let (rank, city, _) = self.place();
        let office = office(rank, city, self.rng.random_bool(0.5));
        match self.rng.random_range(0..10) {
            0..3 => rule("office", "beginsWith", json!(city)),
            3 => rule("office", "endsWith", json!("campus")),
            _ => rule("office", "=", json!(office)),
        }
    }

    /// Returns a predicate on the job title.
    pub(super) fn job(&mut self) -> Value {
        let title = self.title();
        let (area, role) = (self.one_of(&AREAS), self.one_of(&ROLES));
        match self.rng.random_range(0..20) {
            0..5 => rule("jobTitle", "contains", json!(area)),
            5..7 => rule("jobTitle", "contains", json!(format!("{area} {role}"))),
            7..10 => rule("jobTitle", "endsWith", json!(role)),
            10..12 => rule("jobTitle", "beginsWith", json!(title.split(' ').next())),
            12 => rule("jobTitle", "doesNotContain", json!(role)),
            13 => rule("jobTitle", "in", json!([title, self.title(), self.title()])),
            _ => rule("jobTitle", "=", json!(title)),
        }
    }

    fn address(&mut self) -> Value {
        let domain = DOMAINS[self.society.domain.draw(self.rng)];
        match self.rng.random_range(0..10) {
            0 => rule("email", "doesNotEndWith", json!(format!("@{domain}"))),
            1 => rule("email", "beginsWith", json!("a")),
            2 => rule("title", "beginsWith", json!("Grace")),
            3 => rule("email", "contains", json!("partner")),
            _ => rule("email", "endsWith", json!(format!("@{domain}"))),
        }
    }

    fn employment(&mut self) -> Value {
        let kind = EMPLOYMENT[self.society.employment.draw(self.rng)];
        match self.rng.random_range(0..10) {
            0..3 => rule(custom(1), "!=", json!(kind)),
            3 => rule(custom(1), "in", json!([kind, self.one_of(&EMPLOYMENT)])),
            4 => rule(custom(1), "notIn", json!([kind, "Vendor"])),
            _ => rule(custom(1), "=", json!(kind)),
        }
    }

    fn number(&mut self) -> Value {
        let number = 4_000 + 10 * self.society.cost_centre.draw(self.rng);
        match self.rng.random_range(0..10) {
            0..6 => {
                let width = [50, 100, 200][self.rng.random_range(0..3)];
                rule(custom(2), "between", json!([number, number + width]))
            }
            6 => rule(custom(2), ">=", json!(number.to_string())),
            7 => rule(custom(2), "<=", json!(number)),
            8 => rule(custom(2), "notBetween", json!([number, number + 500])),
            _ => rule(custom(2), "=", json!(number)),
        }
    }

    fn presence(&mut self) -> Value {
        let operator = if self.rng.random_bool(0.6) {
            "notNull"
        } else {
            "null"
        };
        let own = ["city", "department", "office", "jobTitle", "email"];
        if self.rng.random_bool(0.8) {
            rule(self.one_of(&own), operator, Value::Null)
        } else {
            rule(custom(self.rng.random_range(1..4)), operator, Value::Null)
        }
    }

    /// Returns a predicate on the hire date.
    pub(super) fn date(&mut self) -> Value {
        let year = 2_014 + self.rng.random_range(0..13);
        let month = [1, 4, 7, 10][self.rng.random_range(0..4)];
        let day = format!("{year}-{month:02}-01");
        let days = [7, 14, 30, 60, 90, 180, 365][self.rng.random_range(0..7)];
        match self.rng.random_range(0..20) {
            0..4 => rule(custom(0), "after", json!(day)),
            4..7 => rule(custom(0), "before", json!(day)),
            7..9 => rule(
                custom(0),
                "between",
                json!([day, format!("{}-12-31", year + 1)]),
            ),
            9..14 => rule(custom(0), "inLast", json!(days)),
            14..18 => rule(custom(0), "moreThanAgo", json!(days.to_string())),
            18 => rule(custom(0), "inNext", json!(30)),
            _ => rule(custom(0), "notNull", Value::Null),
        }
    }

    /// Returns a predicate on the activity in a course.
    pub(super) fn activity(&mut self) -> Value {
        let course = format!("course:{}", self.courses[self.course.draw(self.rng)].id);
        match self.rng.random_range(0..20) {
            0..6 => rule(course, "completed", Value::Null),
            6..11 => rule(course, "notCompleted", Value::Null),
            11..13 => {
                let days = [30, 90, 365][self.rng.random_range(0..3)];
                rule(course, "completedInLast", json!(days))
            }
            13 => rule(course, "completedInLast", Value::Null),
            14..16 => rule(course, "overdue", Value::Null),
            16 => rule(course, "inProgress", Value::Null),
            17 => rule(course, "notEnrolled", Value::Null),
            _ => rule(course, "enrolled", Value::Null),
        }
    }
}
