//! One tenant, always the same: people, enrolments and what administrators ask of them.

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
/// Groups the platform lists among its users; they are nobody's members.
const GROUPS: u32 = 5;
/// Mean of a person's enrolments above which the courses would not suffice.
const MOST_ENROLMENTS: u32 = 200;

/// How large the workload is.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Sizes {
    /// People of the tenant.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub users: u32,
    /// Profiles.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub profiles: u32,
    /// Enrolment rows, retakes included; at most 200 a person.
    #[arg(long, default_value_t = 2_000_000)]
    pub enrolments: u32,
}

/// The tenant and the moment at which its profiles are evaluated.
#[derive(Debug, Clone)]
pub struct Workload {
    /// What the platform delivers.
    pub data: LmsData,
    /// The profiles; an override names only profiles that stand before its own.
    pub profiles: Vec<Profile>,
    /// The slot of the run.
    pub at: DateTime<Utc>,
}

impl Workload {
    /// Makes the tenant; equal sizes give equal tenants.
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

    /// The moment of evaluation: six in the morning UTC of 21 November 2026.
    /// Nothing here depends on today.
    pub fn slot() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_240_800, 0).unwrap_or_default()
    }

    /// The tenant as the product stores it.
    pub fn snapshot(&self) -> Snapshot {
        let header = Header {
            id: SnapshotId::new(self.at, Uuid::nil()),
            tenant: TenantId::new(Uuid::from_u128(SEED.into())),
            taken_at: self.at,
        };
        build(header, self.data.clone(), &EntraProperties::default())
    }
}
