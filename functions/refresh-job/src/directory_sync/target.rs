//! Reads the learning platform: the changes since the last run if it can list them, or
//! everything.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::http::ApiError;
use rollcall_clients::scim::{Scim, ServiceCapabilities};
use rollcall_clients::store::sync::CheckpointPointer;
use rollcall_domain::directory_sync::state::FULL_READ_DAYS;
use rollcall_domain::directory_sync::{Platform, SyncState};

use super::failure::SyncFailure;

/// The state after the last run.
pub(super) struct PreviousRun<'a> {
    pub(super) pointer: Option<&'a CheckpointPointer>,
    pub(super) platform: Platform,
}

/// The current platform, and where the next run continues.
pub(super) struct TargetRead {
    pub(super) platform: Platform,
    /// The state after the last run, if it is known for certain.
    pub(super) before: Option<Platform>,
    pub(super) service: ServiceCapabilities,
    pub(super) newest: Newest,
    pub(super) in_full: DateTime<Utc>,
}

/// The newest modification times that were read; `None` if the platform cannot list changes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Newest {
    pub(super) user: Option<DateTime<Utc>>,
    pub(super) group: Option<DateTime<Utc>>,
}

/// Reads the platform: only the changes if the platform lists them, its counts match and the
/// last run ended cleanly, otherwise everything. Everything is read at least weekly.
pub(super) async fn read(
    scim: &Scim,
    state: &SyncState,
    known: PreviousRun<'_>,
    now: DateTime<Utc>,
) -> Result<TargetRead, SyncFailure> {
    let service = scim.describe().await.map_err(SyncFailure::target)?;
    let teams = state.config.teams.groups || state.config.teams.managers;
    let settled = known.pointer.filter(|pointer| pointer.settled);
    // If the state after the last run is not certain, manual edits cannot be detected.
    let before = settled.map(|_| known.platform.clone());
    let recent = |pointer: &&CheckpointPointer| {
        now - pointer.platform_in_full < TimeDelta::days(FULL_READ_DAYS)
    };
    if let Some(pointer) = settled.filter(recent)
        && pointer.newest_user.is_some()
    {
        let mut platform = known.platform;
        let newest = Newest {
            user: pointer.newest_user,
            group: pointer.newest_group,
        };
        let next = changes(scim, &service, &mut platform, newest, teams).await;
        let newest = next.map_err(SyncFailure::target)?;
        if counts_match(scim, &platform, teams)
            .await
            .map_err(SyncFailure::target)?
        {
            let in_full = pointer.platform_in_full;
            return Ok(TargetRead {
                platform,
                before,
                service,
                newest,
                in_full,
            });
        }
        tracing::info!("the platform's counts do not match; reading everything again");
    }
    let read_in_full = read_in_full(scim, &service, teams).await;
    let (platform, newest) = read_in_full.map_err(SyncFailure::target)?;
    Ok(TargetRead {
        platform,
        before,
        service,
        newest,
        in_full: now,
    })
}

/// Applies the changes since the last run, or reads everything if the platform lists none.
/// Returns the newest modification times.
pub(super) async fn changes(
    scim: &Scim,
    service: &ServiceCapabilities,
    platform: &mut Platform,
    newest: Newest,
    teams: bool,
) -> Result<Newest, ApiError> {
    let changed = scim.users(service, newest.user).await?;
    if newest.user.is_none() {
        platform.users.clear();
    }
    platform.users.extend(changed.all);
    let mut next = newest;
    next.user = newest.user.max(newest.user.and(changed.newest));
    if teams {
        let changed = scim.groups(service, newest.group).await?;
        if newest.group.is_none() {
            platform.teams.clear();
        }
        platform.teams.extend(changed.all);
        next.group = newest.group.max(newest.group.and(changed.newest));
        if next.group.is_none() && service.filter {
            let count = platform.teams.len() as u64;
            let lists_changes = scim.reports_changes_of_groups(count).await?;
            next.group = changed.newest.filter(|_| lists_changes);
        }
    }
    Ok(next)
}

/// Returns true if the counts match; nothing else reveals a deletion.
async fn counts_match(scim: &Scim, platform: &Platform, teams: bool) -> Result<bool, ApiError> {
    let (users, groups) = scim.counts().await?;
    let counts_match = users == platform.users.len() as u64;
    Ok(counts_match && (!teams || groups == platform.teams.len() as u64))
}

/// Reads everything, with the newest modification times if the platform lists changes.
pub(super) async fn read_in_full(
    scim: &Scim,
    service: &ServiceCapabilities,
    teams: bool,
) -> Result<(Platform, Newest), ApiError> {
    let users = scim.users(service, None).await?;
    let count = users.all.len() as u64;
    let lists_changes = service.filter && scim.reports_changes(count).await?;
    let mut platform = Platform {
        users: users.all,
        ..Platform::default()
    };
    let mut newest = Newest {
        user: users.newest.filter(|_| lists_changes),
        group: None,
    };
    if teams {
        let groups = scim.groups(service, None).await?;
        let count = groups.all.len() as u64;
        let lists_changes = service.filter && scim.reports_changes_of_groups(count).await?;
        newest.group = groups.newest.filter(|_| lists_changes);
        platform.teams = groups.all;
    }
    Ok((platform, newest))
}
