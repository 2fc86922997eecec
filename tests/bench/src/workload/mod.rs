//! Generates one deterministic tenant: users, enrolments and profiles.

pub mod courses;
pub mod people;
pub mod rules;
mod skew;
mod words;

use chrono::{DateTime, Utc};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rollcall_domain::base::ids::{SnapshotId, TenantId, UserId};
use rollcall_domain::snapshot::lms::LmsData;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::snapshot::ingest::{EntraProperties, build};
use rollcall_domain::snapshot::{Header, Snapshot};
use uuid::Uuid;

use people::Society;

const SEED: u64 = 2_026;
/// Groups that the platform lists among its users; they are never members.
const GROUPS: u32 = 5;
/// Maximum mean enrolments per user; above it there would not be enough courses.
const MOST_ENROLMENTS: u32 = 200;

/// The size of the workload.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Sizes {
    /// Users of the tenant.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub users: u32,
    /// Profiles.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub profiles: u32,
    /// Enrolment rows including retakes; at most 200 per user.
    #[arg(long, default_value_t = 2_000_000)]
    pub enrolments: u32,
}

/// The tenant and the time at which its profiles are evaluated.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The data returned by the platform.
    pub data: LmsData,
    /// The profiles; an override refers only to profiles before its own.
    pub profiles: Vec<Profile>,
    /// The slot of the run.
    pub at: DateTime<Utc>,
}

impl Workload {
    /// Generates the tenant; equal sizes result in equal tenants.
    pub fn new(sizes: Sizes) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let at = Self::slot();
        let society = Society::new();
        let mut users: Vec<_> = (0..sizes.users)
            .map(|number| society.person(number, at, &mut rng))
            .collect();
        let people: Vec<UserId> = users.iter().filter_map(|user| user.id).collect();
        users.extend((0..GROUPS).map(|number| people::group(number, &mut rng)));
        let courses = courses::courses(&mut rng);
        let count = sizes
            .enrolments
            .min(sizes.users.saturating_mul(MOST_ENROLMENTS));
        let enrolments = courses::enrolments(count as usize, &people, &courses, at, &mut rng);
        let profiles = rules::profiles(sizes.profiles, &society, &courses, &people, &mut rng);
        let data = LmsData {
            courses,
            catalogs: vec![courses::catalog()],
            users,
            fields: people::fields(),
            enrolments,
            roles: Vec::new(),
        };
        Self { data, profiles, at }
    }

    /// Returns the time of evaluation: six in the morning UTC of 21 November 2026. The workload
    /// does not depend on the current date.
    pub fn slot() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_240_800, 0).unwrap_or_default()
    }

    /// Returns the tenant in the product's stored form.
    pub fn snapshot(&self) -> Snapshot {
        let header = Header {
            id: SnapshotId::new(self.at, Uuid::nil()),
            tenant: TenantId::new(Uuid::from_u128(SEED.into())),
            taken_at: self.at,
        };
        build(header, self.data.clone(), &EntraProperties::default())
    }
}
