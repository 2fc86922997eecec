//! Creates a tenant as an administrator would, and waits for its runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::Utc;
use rollcall_app::Services;
use rollcall_clients::http::Secret;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::store::{MAINTENANCE_LEASE, StoreError};
use rollcall_clients::vault::AppRegistration;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::audience::settings::{Onboarding, Settings};
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, ObjectId, TenantId};
use rollcall_domain::base::run::{Run, RunRequest, Trigger};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::base::throttle::DefaultLimit;
use rollcall_domain::connection::installation::Installation;
use rollcall_domain::membership::report::MaintenanceReport;
use rollcall_simulators::world::{KeyLevel, World};

use crate::error::Error;
use crate::personas::Cast;

/// Version at installation of tenants that count as connected to their directory.
pub const CONNECTED_BY_DEFAULT: &str = "3.73";
/// Version at installation of tenants that connect their directory manually.
pub const CONNECTED_BY_HAND: &str = "3.74";

/// Interval between checks of a run's record.
const POLL: Duration = Duration::from_millis(150);

/// Stores credentials and settings. The first save requests the first refresh (S4-102, S4-103).
///
/// # Errors
/// If the world has no usable credential or a service does not respond.
pub async fn set_up(services: &Services, world: &World) -> Result<Tenant, Error> {
    let id = TenantId::new(world.tenant.id);
    let key = world
        .lms_keys
        .iter()
        .find(|key| key.level == KeyLevel::FullControl)
        .ok_or("the world has no Learn365 key")?;
    let app = world
        .apps
        .first()
        .ok_or("the world has no app registration")?;
    services
        .vault
        .put_lms_key(id, &Secret::new(key.key.clone()))
        .await?;
    let registration = AppRegistration::new(app.client_id.to_string(), app.client_secret.clone());
    services
        .vault
        .put_app_registration(id, &registration)
        .await?;
    install(services, id, CONNECTED_BY_DEFAULT).await?;
    let before = services.store.tenant(id).await?;
    let settings = Settings {
        contact: format!("lms-admins@{}", world.tenant.domain),
        also_notify: [].into(),
        group_prefix: "LMS - ".to_owned(),
        display_name: world.tenant.name.clone(),
        lms_url: String::new(),
        entra_properties: [].into(),
        default_limit: Some(DefaultLimit::default()),
        catalog_admins: catalog_admins(world),
    };
    if before
        .as_ref()
        .is_none_or(|before| before.settings != settings)
    {
        services
            .store
            .save_settings(id, &settings, before.map(|before| before.version))
            .await?;
    }
    Ok(services
        .store
        .tenant(id)
        .await?
        .ok_or("the settings were saved but cannot be read")?)
}

/// Records the version of a tenant's installation, as an operator does.
///
/// # Errors
/// If the table does not respond.
pub async fn install(
    services: &Services,
    tenant: TenantId,
    version: &str,
) -> Result<(), StoreError> {
    let installation = Installation {
        version: Some(version.to_owned()),
        ..Installation::default()
    };
    if services.store.installation(tenant).await? == installation {
        return Ok(());
    }
    let operator = Actor::named("operator@rollcall.example");
    let event = AuditEvent::new(now(), operator, Action::InstallationChanged);
    let store = &services.store;
    store.put_installation(tenant, &installation, &event).await
}

/// Returns the administrator of the first catalog.
pub fn catalog_admins(world: &World) -> BTreeMap<ObjectId, BTreeSet<CatalogId>> {
    let (cast, catalog) = (Cast::of(world), world.catalogs.first());
    cast.zip(catalog)
        .map(|(cast, catalog)| {
            let own = [CatalogId::new(catalog.id)].into();
            (ObjectId::new(cast.catalog_admin.object), own)
        })
        .into_iter()
        .collect()
}

/// Stores the profiles: equal ones are left unchanged, and those that are not in the list are
/// deleted.
///
/// # Errors
/// If a service does not respond.
pub async fn put_profiles(
    services: &Services,
    tenant: TenantId,
    profiles: &[Profile],
) -> Result<(), StoreError> {
    let stored = services.store.profiles(tenant).await?;
    for old in stored
        .iter()
        .filter_map(|stored| stored.profile.as_ref().ok())
    {
        if !old.is_deleted() && profiles.iter().all(|profile| profile.id != old.id) {
            services
                .store
                .delete_profile(tenant, old.id, "admin@rollcall.example")
                .await?;
        }
    }
    for profile in profiles {
        let before = stored
            .iter()
            .find(|stored| stored.key == profile.id.to_string());
        let same = before
            .and_then(|before| before.profile.as_ref().ok())
            .is_some_and(|before| same_wish(before, profile));
        if !same {
            services
                .store
                .save_profile(tenant, profile, before.map(|before| before.version))
                .await?;
        }
    }
    Ok(())
}

/// Compares two versions of a profile, ignoring who saved them and what a job has recorded since.
fn same_wish(stored: &Profile, wanted: &Profile) -> bool {
    let mut wanted = wanted.clone();
    wanted.modified_at = stored.modified_at;
    wanted.modified_by.clone_from(&stored.modified_by);
    wanted.retraction_handled = stored.retraction_handled;
    wanted == *stored
}

/// Requests a run through the job's queue and waits until it has ended.
///
/// # Errors
/// If the run does not end in time or a service does not respond.
pub async fn run(
    services: &Services,
    tenant: &Tenant,
    job: Job,
    patience: Duration,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Run, Error> {
    let first = job == Job::Refresh && tenant.onboarding == Onboarding::AwaitingFirstRefresh;
    let trigger = if first {
        Trigger::FirstSave
    } else {
        Trigger::Manual {
            by: "admin@rollcall.example".to_owned(),
            user: None,
            display_name: None,
            accept_smaller_data: true,
        }
    };
    let request = services.enqueue_run(tenant, job, trigger).await?;
    wait(services, &request, patience, progress).await
}

/// Waits until a run has ended.
///
/// # Errors
/// If it does not end in time or a service does not respond.
pub async fn wait(
    services: &Services,
    request: &RunRequest,
    patience: Duration,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Run, Error> {
    let begun = Instant::now();
    let mut reported = Instant::now();
    loop {
        if let Some(run) = services.store.run(request).await?
            && run.is_over()
        {
            return Ok(run);
        }
        if begun.elapsed() > patience {
            return Err(format!(
                "the {} run of {} has not ended within {} s",
                request.job,
                request.slot,
                patience.as_secs()
            )
            .into());
        }
        if reported.elapsed() > Duration::from_secs(2) {
            reported = Instant::now();
            progress(&run_progress(services, request, begun).await?);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn run_progress(
    services: &Services,
    request: &RunRequest,
    begun: Instant,
) -> Result<String, StoreError> {
    let seconds = begun.elapsed().as_secs();
    if request.job == Job::Refresh {
        return Ok(format!("  refresh: reading Learn365 ({seconds} s)"));
    }
    if services.store.run(request).await?.is_none()
        && let Some(until) = services
            .store
            .held_until(request.tenant, MAINTENANCE_LEASE)
            .await?
    {
        let left = (until - Utc::now()).num_seconds().max(0);
        return Ok(format!(
            "  {}: an interrupted run still holds the lock, which expires in {left} s",
            request.job
        ));
    }
    let all = services.store.profiles(request.tenant).await?.len();
    let states = services.store.profile_states(request.tenant).await?;
    let done = states
        .values()
        .filter(|state| state.evaluated_at.is_some_and(|at| at >= request.slot.at()))
        .count();
    let doing = if done == all {
        "memberships done, enrolling".to_owned()
    } else {
        format!("{done} of {all} profiles done")
    };
    Ok(format!("  {}: {doing} ({seconds} s)", request.job))
}

/// Returns the full report of a run.
///
/// # Errors
/// If the run stored no report or it cannot be read.
pub async fn report(services: &Services, run: &Run) -> Result<MaintenanceReport, Error> {
    let key = run
        .report
        .as_ref()
        .ok_or_else(|| format!("the run left no report: {}", ending(run)))?;
    Ok(serde_json::from_slice(&services.objects.get(key).await?)?)
}

/// Returns the status of a run with its reason, as text.
pub fn ending(run: &Run) -> String {
    let why = run.error.as_ref().or(run.note.as_ref());
    let status = format!("{:?}", run.status).to_lowercase();
    why.map_or_else(|| status.clone(), |why| format!("{status}, because {why}"))
}

/// Returns the current time, for drafts.
pub fn now() -> chrono::DateTime<Utc> {
    Utc::now()
}
