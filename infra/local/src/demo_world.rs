//! The input of a demo: the simulated world and its profiles.

use std::path::Path;

use rollcall_domain::audience::profile::Profile;
use rollcall_simulators::TenantState;
use rollcall_simulators::generate::{WorldSpec, world};
use rollcall_simulators::world::World;
use serde_json::Value;

use crate::demo_options::{DemoOptions, TENANT};
use crate::error::Error;
use crate::{drafts, import, personas, sample_profiles, tenant};

/// The simulated world and the profiles of its administrators.
pub struct DemoWorld {
    /// The simulated tenant, including what earlier demos changed.
    pub tenant: TenantState,
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// Messages about invalid rows, which were skipped.
    pub problems: Vec<String>,
}

impl DemoWorld {
    /// Generates or imports the world. Groups that an earlier demo created are retained.
    ///
    /// # Errors
    /// If the folder cannot be read, or drafts refer to something that does not exist.
    pub fn set(options: &DemoOptions, state: &Path) -> Result<Self, Error> {
        let saved: Option<TenantState> = match std::fs::read(state.join("outside.json")) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes)?),
            Err(_) => None,
        };
        let (mut tenant, drafts, problems) = match &options.data {
            None => {
                let world = || generated(options);
                let tenant = saved.unwrap_or_else(|| world().into());
                let mut drafts: Vec<Value> = sample_profiles::demo()
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let more = options.profiles.saturating_sub(drafts.len());
                drafts.extend(sample_profiles::grid(&tenant.world, more));
                drafts.truncate(options.profiles);
                (tenant, Value::Array(drafts), Vec::new())
            }
            Some(folder) => imported(folder, saved)?,
        };
        if !tenant
            .world
            .people
            .iter()
            .any(|person| person.lms_id.is_some())
        {
            return Err("the tenant has no learners; it needs at least one".into());
        }
        personas::assign_personas(&mut tenant.world);
        tenant.world.behaviour.lms_accept_delay_ms = 300;
        tenant.world.behaviour.group_replication_ms = 500;
        let profiles = drafts::profiles(drafts::read(drafts)?, &tenant.world, tenant::now())?;
        Ok(Self {
            tenant,
            profiles,
            problems,
        })
    }
}

fn generated(options: &DemoOptions) -> World {
    let today = tenant::now()
        .date_naive()
        .and_time(chrono::NaiveTime::MIN)
        .and_utc();
    world(&WorldSpec {
        seed: 2026,
        tenant: TENANT,
        users: options.users,
        as_of: today,
        ..WorldSpec::default()
    })
}

fn imported(
    folder: &Path,
    saved: Option<TenantState>,
) -> Result<(TenantState, Value, Vec<String>), Error> {
    let read = import::read_folder(folder, TENANT)?;
    let drafts = read
        .profiles
        .unwrap_or_else(|| Value::Array(sample_profiles::suggested(&read.world)));
    let tenant = match saved {
        Some(mut before) => {
            let groups = std::mem::take(&mut before.world.groups);
            before.world = World {
                groups,
                ..read.world
            };
            before
        }
        None => read.world.into(),
    };
    Ok((
        tenant,
        drafts,
        read.problems.iter().map(ToString::to_string).collect(),
    ))
}
