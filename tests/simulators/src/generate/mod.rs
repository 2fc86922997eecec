//! Generates realistic worlds of any size from a seed.

mod learning;
mod names;
mod people;
mod places;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::world::{
    AppCredential, Catalog, CustomField, EntraGroup, FieldKind, KeyLevel, LmsKey, TenantSeed, World,
};

/// Title of the custom column with the first working day (`DateTime`).
pub const HIRE_DATE: &str = "Hire Date";
/// Title of the custom column with the employee number (`Number`).
pub const EMPLOYEE_NUMBER: &str = "Employee Number";
/// Title of the custom column that contains the certification (`Boolean`).
pub const CERTIFIED: &str = "Certified";
/// Title of the custom column with the cost centre (`String`).
pub const COST_CENTRE: &str = "Cost Centre";

/// Permissions of a generated application: exactly those requested by the product.
pub const ROLES: [&str; 3] = [
    "User.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
];

/// The parameters of a world. Percentages are of users, 0 to 100.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldSpec {
    /// Equal seeds result in equal worlds.
    pub seed: u64,
    /// Tenant id.
    pub tenant: Uuid,
    /// Number of users, in Entra, Learn365 or both.
    pub users: usize,
    /// Number of courses.
    pub courses: usize,
    /// Number of catalogs, at least one.
    pub catalogs: usize,
    /// Mean enrolment rows per user in Learn365.
    pub enrolments_per_user: f32,
    /// Existing groups: ordinary ones, and one of each kind that rejects member writes.
    pub groups: usize,
    /// The date of the world; due and completion dates are distributed around it.
    pub as_of: DateTime<Utc>,
    /// Percentage of guests.
    pub guests_percent: u32,
    /// Percentage of users whose sign-in is disabled.
    pub disabled_percent: u32,
    /// Percentage of users only in Entra.
    pub entra_only_percent: u32,
    /// Percentage of users only in Learn365.
    pub lms_only_percent: u32,
    /// Probability that an attribute is missing.
    pub missing_percent: u32,
    /// Percentage of users with names that break careless software.
    pub nasty_percent: u32,
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            seed: 1,
            tenant: Uuid::from_u128(0x0000_7e4a_0000_4000_8000_0000_0000_0001),
            users: 200,
            courses: 30,
            catalogs: 3,
            enrolments_per_user: 3.0,
            groups: 5,
            as_of: DateTime::from_timestamp(1_780_000_000, 0).unwrap_or_default(),
            guests_percent: 5,
            disabled_percent: 3,
            entra_only_percent: 4,
            lms_only_percent: 2,
            missing_percent: 5,
            nasty_percent: 8,
        }
    }
}

/// Generates a world: one application with [`ROLES`] (client secret `simulated-secret`) and one
/// full-control key (see [`lms_key`]).
///
/// Every tenth user is a "Customer Success Manager" in Las Vegas, San Diego or Denver, so that even
/// a small world contains some.
pub fn world(spec: &WorldSpec) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(spec.seed);
    let fields = fields(&mut rng);
    let mut people = people::people(spec, &fields, &mut rng);
    people::managers(&mut people, &mut rng);
    let catalogs: Vec<Catalog> = (0..spec.catalogs.max(1))
        .map(|at| Catalog {
            id: id(&mut rng),
            title: learning::catalog_title(at),
        })
        .collect();
    let courses = learning::courses(spec.courses, &catalogs, &mut rng);
    let enrolments = learning::enrolments(spec, &people, &courses, &mut rng);
    let groups = groups(spec, &people, &mut rng);
    World {
        tenant: TenantSeed {
            id: spec.tenant,
            name: "Contoso Learning".to_owned(),
            domain: places::DOMAIN.to_owned(),
            region: "us".to_owned(),
        },
        apps: vec![AppCredential {
            client_id: id(&mut rng),
            client_secret: "simulated-secret".to_owned(),
            roles: ROLES.map(str::to_owned).to_vec(),
            secret_expired: false,
            disabled: false,
        }],
        lms_keys: vec![LmsKey {
            key: lms_key(spec.tenant),
            level: KeyLevel::FullControl,
        }],
        people,
        fields,
        catalogs,
        courses,
        enrolments,
        groups,
        ..World::default()
    }
}

/// Returns the full-control Learn365 key of a generated tenant.
pub fn lms_key(tenant: Uuid) -> String {
    format!("simulated-key-{tenant}")
}

fn fields(rng: &mut ChaCha8Rng) -> Vec<CustomField> {
    let columns = [
        (HIRE_DATE, FieldKind::DateTime),
        (EMPLOYEE_NUMBER, FieldKind::Number),
        (CERTIFIED, FieldKind::Boolean),
        (COST_CENTRE, FieldKind::String),
    ];
    let field = |(title, kind): (&str, _)| CustomField {
        id: id(rng),
        title: title.to_owned(),
        kind,
    };
    columns.map(field).into()
}

/// Generates groups of an administrator; the service may not change the first three.
fn groups(
    spec: &WorldSpec,
    people: &[crate::world::Person],
    rng: &mut ChaCha8Rng,
) -> Vec<EntraGroup> {
    let names = [
        "All staff (dynamic)",
        "Print operators (on premises)",
        "Helpdesk admins (roles)",
    ];
    (0..spec.groups)
        .map(|at| {
            let everyone = people.iter().filter_map(|person| person.object_id);
            let members: BTreeSet<Uuid> = everyone.skip(at).step_by(7).take(50).collect();
            EntraGroup {
                id: id(rng),
                display_name: names
                    .get(at)
                    .map_or_else(|| format!("Team {at}"), |it| (*it).to_owned()),
                unique_name: None,
                description: Some("Made by an administrator.".to_owned()),
                mail_nickname: format!("team{at}"),
                dynamic: at == 0,
                on_premises_synced: at == 1,
                role_assignable: at == 2,
                members,
            }
        })
        .collect()
}

/// Returns a version 4 UUID from the seeded generator.
fn id(rng: &mut ChaCha8Rng) -> Uuid {
    use rand::Rng as _;
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Returns true in about `percent` of 100 cases.
fn chance(rng: &mut ChaCha8Rng, percent: u32) -> bool {
    use rand::RngExt as _;
    rng.random_range(0..100) < percent
}

/// Returns one of the items.
fn pick<'a, T: ?Sized>(rng: &mut ChaCha8Rng, items: &[&'a T]) -> &'a T {
    use rand::RngExt as _;
    items[rng.random_range(0..items.len())]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::world::{Progress, UserType};

    #[test]
    fn same_seed_same_world_other_seed_other_world() {
        let spec = WorldSpec {
            users: 300,
            ..WorldSpec::default()
        };
        assert_eq!(world(&spec), world(&spec));
        assert_ne!(world(&spec), world(&WorldSpec { seed: 2, ..spec }));
    }

    #[test]
    fn has_the_people_that_make_trouble() {
        let world = world(&WorldSpec {
            users: 2_000,
            ..WorldSpec::default()
        });
        let people = &world.people;
        assert_eq!(people.len(), 2_000);
        assert!(people.iter().any(|it| it.user_type == UserType::Guest));
        assert!(people.iter().any(|it| !it.account_enabled));
        assert!(
            people
                .iter()
                .any(|it| it.object_id.is_some() && it.lms_id.is_none())
        );
        assert!(
            people
                .iter()
                .any(|it| it.object_id.is_none() && it.lms_id.is_some())
        );
        assert!(people.iter().any(|it| it.city.is_none()));
        assert!(
            people
                .iter()
                .any(|it| it.city.as_deref() == Some("denver "))
        );
        assert!(people.iter().any(|it| it.manager.is_some()));
        for nasty in [
            "O'Brien", "ß", "İ", "\u{200b}", "ﬁ", "=cmd", "\u{301}", "👩",
        ] {
            assert!(
                people.iter().any(|it| it.display_name.contains(nasty)),
                "{nasty}"
            );
        }
        let distinct: HashSet<&str> = people.iter().map(|it| it.upn.as_str()).collect();
        assert_eq!(distinct.len(), people.len(), "principal names are unique");
    }

    #[test]
    fn even_a_small_world_has_the_worked_example() {
        let world = world(&WorldSpec {
            users: 40,
            ..WorldSpec::default()
        });
        let fits = world.people.iter().filter(|person| {
            person.job_title.as_deref() == Some("Customer Success Manager")
                && matches!(
                    person.city.as_deref(),
                    Some("Las Vegas" | "San Diego" | "Denver")
                )
        });
        assert!(fits.count() >= 4);
        assert!(
            world
                .courses
                .iter()
                .any(|it| it.title == "Outlook - Japanese")
        );
        assert!(world.courses.iter().any(|it| it.title == "Security 101"));
    }

    #[test]
    fn enrolments_are_of_every_kind() {
        let spec = WorldSpec {
            users: 1_000,
            ..WorldSpec::default()
        };
        let world = world(&spec);
        let rows = &world.enrolments;
        assert!((2_000..4_000).contains(&rows.len()), "{} rows", rows.len());
        let late = |it: &&crate::world::Enrolment| it.due_at.is_some_and(|due| due < spec.as_of);
        assert!(
            rows.iter()
                .filter(late)
                .any(|it| it.status == Progress::InProgress)
        );
        assert!(
            rows.iter()
                .filter(late)
                .any(|it| it.completed_at > it.due_at)
        );
        assert!(rows.iter().any(|it| it.due_at.is_none()));
        let mut seen = HashSet::new();
        let retaken = rows
            .iter()
            .filter(|it| !seen.insert((it.lms_user_id, it.course_id)));
        assert!(retaken.count() > 10, "several rows per user and course");
        assert!(
            rows.iter()
                .all(|it| (it.status == Progress::Completed) == it.completed_at.is_some())
        );
    }
}
