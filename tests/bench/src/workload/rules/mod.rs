//! Generates profiles like those of administrators, some nested and some with exceptions.

use chrono_tz::Tz;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rollcall_domain::base::ids::{ProfileId, UserId};
use rollcall_domain::snapshot::lms::CourseRow;
use rollcall_domain::audience::profile::{Overrides, Profile, Target};
use rollcall_domain::rules::{FilterDocument, MatchMode};
use rollcall_domain::testing;
use serde_json::{Value, json};
use uuid::Uuid;

use super::people::Society;
use super::skew::Skewed;

mod leaves;

use leaves::Author;

/// Generates the profiles.
pub(super) fn profiles(
    count: u32,
    society: &Society,
    courses: &[CourseRow],
    people: &[UserId],
    rng: &mut ChaCha8Rng,
) -> Vec<Profile> {
    let mut author = Author {
        society,
        courses,
        course: Skewed::new(courses.len(), 0.9),
        rng,
    };
    let mut profiles: Vec<Profile> = Vec::new();
    for number in 0..count {
        let mut profile = testing::profile(&format!("Audience {}", number + 1));
        profile.id = profile_id(number);
        profile.time_zone = zone(author.rng);
        profile.overrides = overrides(number, people, author.rng);
        // Some profiles consist only of a list of users.
        if author.rng.random_bool(0.99) || profile.overrides.include.is_empty() {
            profile.filter = author.filter();
        }
        profiles.push(profile);
    }
    profiles
}

/// Returns the id of the nth profile.
pub fn profile_id(number: u32) -> ProfileId {
    ProfileId::new(Uuid::from_u128(0x9e0f_11e0_0000 + u128::from(number)))
}

fn zone(rng: &mut ChaCha8Rng) -> Tz {
    match rng.random_range(0..10) {
        0 => Tz::America__Denver,
        1 => Tz::Europe__London,
        2 => Tz::Asia__Tokyo,
        _ => Tz::UTC,
    }
}

/// One profile in ten has exceptions; three in a hundred refer to another profile.
fn overrides(number: u32, people: &[UserId], rng: &mut ChaCha8Rng) -> Overrides {
    let mut overrides = Overrides::default();
    if rng.random_bool(0.10) {
        for _ in 0..rng.random_range(1..20) {
            overrides.include.insert(user(people, rng));
        }
        for _ in 0..rng.random_range(0..10) {
            overrides.exclude.insert(user(people, rng));
        }
    }
    if number > 0 && rng.random_bool(0.03) {
        let other = Target::Profile(profile_id(rng.random_range(0..number)));
        if rng.random_bool(0.4) {
            overrides.include.insert(other);
        } else {
            overrides.exclude.insert(other);
        }
    }
    overrides
}

/// Returns a user, or occasionally the id of a deleted one.
fn user(people: &[UserId], rng: &mut ChaCha8Rng) -> Target {
    if rng.random_bool(0.02) {
        return Target::User(UserId::new(Uuid::from_u128(rng.random())));
    }
    Target::User(people[rng.random_range(0..people.len())])
}

fn group(combinator: &str, not: bool, rules: Vec<Value>) -> Value {
    if not {
        json!({"combinator": combinator, "not": true, "rules": rules})
    } else {
        json!({"combinator": combinator, "rules": rules})
    }
}

impl Author<'_> {
    /// Returns two to six predicates in one to three sections.
    fn filter(&mut self) -> FilterDocument {
        let mut filter = FilterDocument::default();
        if self.rng.random_bool(0.92) {
            filter.properties = Some(self.properties());
        }
        if self.rng.random_bool(0.25) {
            let rules = (0..self.rng.random_range(1..=2))
                .map(|_| self.date())
                .collect();
            filter.dates = Some(group("and", false, rules));
        }
        if filter.properties.is_none() || self.rng.random_bool(0.40) {
            filter.activities = Some(self.activities());
        }
        if self.rng.random_bool(0.08) {
            filter.mode = MatchMode::Any;
        }
        filter
    }

    fn properties(&mut self) -> Value {
        match self.rng.random_range(0..100) {
            // Conjunctions are the most common rules.
            0..45 => {
                let rules = self.several(2, 4, Self::property);
                group("and", false, rules)
            }
            45..60 => {
                let rules = self.several(2, 4, Self::narrow);
                group("or", false, rules)
            }
            // The example from the guide: some cities, and a title.
            60..78 => {
                let places = self.several(2, 4, Self::city);
                let title = self.job();
                group("and", false, vec![group("or", false, places), title])
            }
            78..92 => {
                let but = self.several(1, 2, Self::narrow);
                let mut rules = self.several(1, 2, Self::property);
                rules.push(group("or", true, but));
                group("and", false, rules)
            }
            _ => {
                let one = self.several(2, 2, Self::property);
                let other = self.several(2, 3, Self::property);
                group(
                    "or",
                    false,
                    vec![group("and", false, one), group("and", false, other)],
                )
            }
        }
    }

    fn activities(&mut self) -> Value {
        let rules = self.several(1, 3, Self::activity);
        let combinator = if self.rng.random_bool(0.7) {
            "and"
        } else {
            "or"
        };
        let not = self.rng.random_bool(0.05);
        group(combinator, not, rules)
    }

    fn several(&mut self, least: usize, most: usize, write: fn(&mut Self) -> Value) -> Vec<Value> {
        (0..self.rng.random_range(least..=most))
            .map(|_| write(self))
            .collect()
    }
}
