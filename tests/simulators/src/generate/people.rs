//! Generates users: names, attributes, custom columns and managers.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use super::{
    CERTIFIED, COST_CENTRE, EMPLOYEE_NUMBER, HIRE_DATE, WorldSpec, chance, id, names, pick, places,
};
use crate::world::{CustomField, Person, UserType};

/// One in this many users is a customer success manager in an anchor city.
const ANCHOR_EVERY: usize = 10;
/// Maximum age of a hire date.
const CAREER_DAYS: u64 = 20 * 365;

/// Generates `spec.users` users without managers.
pub(super) fn people(
    spec: &WorldSpec,
    fields: &[CustomField],
    rng: &mut ChaCha8Rng,
) -> Vec<Person> {
    let mut nasty = names::NASTY.iter().cycle();
    (0..spec.users)
        .map(|at| {
            let (given, surname) = match nasty.next() {
                Some(name) if chance(rng, spec.nasty_percent) => *name,
                _ => {
                    let (given, surnames) =
                        names::CULTURES[rng.random_range(0..names::CULTURES.len())];
                    (pick(rng, given), pick(rng, surnames))
                }
            };
            let mut person = person(spec, at, given, surname, rng);
            person.custom = custom(&person, at, fields, rng);
            person
        })
        .collect()
}

fn person(spec: &WorldSpec, at: usize, given: &str, surname: &str, rng: &mut ChaCha8Rng) -> Person {
    let guest = chance(rng, spec.guests_percent);
    let (object_id, lms_id) = homes(spec, at, rng);
    let (upn, mail) = addresses(&names::slug(given, surname), at, guest);
    let (city, country, job_title) = place(at, rng);
    let mut kept = |text: &str| (!chance(rng, spec.missing_percent)).then(|| text.to_owned());
    let (mail, given_name, surname_kept) = (kept(&mail), kept(given), kept(surname));
    let anchored = at.is_multiple_of(ANCHOR_EVERY);
    let (city, country, job_title) = if anchored {
        (
            Some(city.to_owned()),
            Some(country.to_owned()),
            Some(job_title.to_owned()),
        )
    } else {
        (kept(city), kept(country), kept(job_title))
    };
    let mut any = |items: &[&str]| {
        let item = pick(rng, items);
        (!chance(rng, spec.missing_percent)).then(|| item.to_owned())
    };
    let (company, department, office) = (
        any(&places::COMPANIES),
        any(&places::DEPARTMENTS),
        any(&places::OFFICES),
    );
    Person {
        object_id,
        lms_id,
        upn,
        display_name: format!("{given} {surname}"),
        given_name,
        surname: surname_kept,
        mail,
        city,
        company,
        department,
        country,
        office,
        job_title,
        user_type: if guest {
            UserType::Guest
        } else {
            UserType::Member
        },
        account_enabled: !chance(rng, spec.disabled_percent),
        employee_id: (!guest).then(|| format!("E{:06}", 10_000 + at)),
        hire_date: (!chance(rng, spec.missing_percent))
            .then(|| hired(spec.as_of.date_naive(), rng)),
        manager: None,
        custom: BTreeMap::new(),
    }
}

/// Returns user principal name and mail address.
fn addresses(slug: &str, at: usize, guest: bool) -> (String, String) {
    if !guest {
        let upn = format!("{slug}{at}@{}", places::DOMAIN);
        return (upn.clone(), upn);
    }
    let mail = format!("{slug}{at}@partner.example");
    (
        format!("{}#EXT#@{}", mail.replace('@', "_"), places::DOMAIN),
        mail,
    )
}

/// Returns the ids in Entra, Learn365 or both; anchor users always have both.
fn homes(spec: &WorldSpec, at: usize, rng: &mut ChaCha8Rng) -> (Option<Uuid>, Option<Uuid>) {
    let (object_id, lms_id) = (id(rng), id(rng));
    let roll = rng.random_range(0..100);
    if at.is_multiple_of(ANCHOR_EVERY) || roll >= spec.entra_only_percent + spec.lms_only_percent {
        (Some(object_id), Some(lms_id))
    } else if roll < spec.entra_only_percent {
        (Some(object_id), None)
    } else {
        (None, Some(lms_id))
    }
}

fn place(at: usize, rng: &mut ChaCha8Rng) -> (&'static str, &'static str, &'static str) {
    let (city, country) = places::CITIES[rng.random_range(0..places::CITIES.len())];
    let title = pick(rng, &places::TITLES);
    if at.is_multiple_of(ANCHOR_EVERY) {
        let anchors = places::ANCHOR_CITIES;
        return (
            anchors[at / ANCHOR_EVERY % anchors.len()],
            "United States",
            places::TITLES[0],
        );
    }
    (city, country, title)
}

fn hired(today: NaiveDate, rng: &mut ChaCha8Rng) -> NaiveDate {
    // A fifth were hired recently, because date rules cover the last weeks.
    let span = if chance(rng, 20) { 60 } else { CAREER_DAYS };
    today
        .checked_sub_days(Days::new(rng.random_range(0..span)))
        .unwrap_or(today)
}

fn custom(
    person: &Person,
    at: usize,
    fields: &[CustomField],
    rng: &mut ChaCha8Rng,
) -> BTreeMap<Uuid, String> {
    let mut values = BTreeMap::new();
    for field in fields {
        let value = match field.title.as_str() {
            HIRE_DATE => person.hire_date.map(|day| format!("{day}T00:00:00Z")),
            EMPLOYEE_NUMBER => Some((10_000 + at).to_string()),
            CERTIFIED => (!chance(rng, 30)).then(|| chance(rng, 50).to_string()),
            COST_CENTRE => (!chance(rng, 10)).then(|| format!("CC-{}", rng.random_range(100..120))),
            _ => None,
        };
        if let Some(value) = value {
            values.insert(field.id, value);
        }
    }
    values
}

/// Assigns most users a manager earlier in the list, so that there are no cycles.
pub(super) fn managers(people: &mut [Person], rng: &mut ChaCha8Rng) {
    for at in 1..people.len() {
        if chance(rng, 90) {
            // About one manager for eight users, and a tree rather than a chain.
            let boss = rng.random_range(0..at.div_ceil(8));
            people[at].manager = people[boss].object_id;
        }
    }
}
