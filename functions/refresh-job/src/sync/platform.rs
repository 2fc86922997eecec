//! Reads the learning platform: what changed since, where it can tell, or everything.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::http::ApiError;
use rollcall_clients::scim::{Described, Scim};
use rollcall_clients::store::sync::MirrorPointer;
use rollcall_domain::directory::state::FULL_READ_DAYS;
use rollcall_domain::directory::{Platform, SyncState};

use super::trouble::Trouble;

/// What is known from the last run.
pub(super) struct Known<'a> {
    pub(super) pointer: Option<&'a MirrorPointer>,
    pub(super) platform: Platform,
}

/// The platform as it is now, and where to go on.
pub(super) struct Lands {
    pub(super) platform: Platform,
    /// As the last run left it, if that is known for sure.
    pub(super) before: Option<Platform>,
    pub(super) described: Described,
    pub(super) newest: Newest,
    pub(super) in_full: DateTime<Utc>,
}

/// The newest changes of users and of groups that were seen; none where the
/// platform cannot tell what changed.
pub(super) type Newest = Option<(DateTime<Utc>, DateTime<Utc>)>;

/// Reads. What changed is enough where the platform tells it, its counts fit, and
/// the last run ended well; everything is read at least weekly.
pub(super) async fn read(
    scim: &Scim,
    state: &SyncState,
    known: Known<'_>,
    now: DateTime<Utc>,
) -> Result<Lands, Trouble> {
    let described = scim.describe().await.map_err(Trouble::of_platform)?;
    let teams = state.config.teams.groups || state.config.teams.managers;
    let settled = known.pointer.filter(|pointer| pointer.settled);
    // A platform that nobody knows as it was left cannot show what was done by hand.
    let before = settled.map(|_| known.platform.clone());
    let recent =
        |pointer: &&MirrorPointer| now - pointer.platform_in_full < TimeDelta::days(FULL_READ_DAYS);
    if let Some(pointer) = settled.filter(recent)
        && let Some(newest) = pointer.newest
    {
        let mut platform = known.platform;
        let next = changes(scim, &described, &mut platform, newest, teams).await;
        let next = next.map_err(Trouble::of_platform)?;
        if fits(scim, &platform, teams)
            .await
            .map_err(Trouble::of_platform)?
        {
            let in_full = pointer.platform_in_full;
            return Ok(Lands {
                platform,
                before,
                described,
                newest: Some(next),
                in_full,
            });
        }
        tracing::info!("the platform's counts do not fit; reading everything anew");
    }
    let (platform, newest) = whole(scim, &described, teams)
        .await
        .map_err(Trouble::of_platform)?;
    Ok(Lands {
        platform,
        before,
        described,
        newest,
        in_full: now,
    })
}

/// Takes in what changed since; answers what is the newest by now.
pub(super) async fn changes(
    scim: &Scim,
    described: &Described,
    platform: &mut Platform,
    (users, groups): (DateTime<Utc>, DateTime<Utc>),
    teams: bool,
) -> Result<(DateTime<Utc>, DateTime<Utc>), ApiError> {
    let changed = scim.users(described, Some(users)).await?;
    platform.users.extend(changed.all);
    let users = users.max(changed.newest.unwrap_or(users));
    if !teams {
        return Ok((users, groups));
    }
    let changed = scim.groups(described, Some(groups)).await?;
    platform.teams.extend(changed.all);
    Ok((users, groups.max(changed.newest.unwrap_or(groups))))
}

/// Whether as many are known as there are: what was deleted shows nowhere else.
async fn fits(scim: &Scim, platform: &Platform, teams: bool) -> Result<bool, ApiError> {
    let (users, groups) = scim.counts().await?;
    let fits = users == platform.users.len() as u64;
    Ok(fits && (!teams || groups == platform.teams.len() as u64))
}

/// Everything, and what is the newest of it where the platform tells changes.
pub(super) async fn whole(
    scim: &Scim,
    described: &Described,
    teams: bool,
) -> Result<(Platform, Newest), ApiError> {
    let users = scim.users(described, None).await?;
    let groups = if teams {
        Some(scim.groups(described, None).await?)
    } else {
        None
    };
    let tells = described.filter && scim.tells_changes(users.all.len() as u64).await?;
    let newest = users.newest.filter(|_| tells).map(|newest| {
        let of_groups = groups.as_ref().and_then(|groups| groups.newest);
        // Without a group yet, everything that comes is newer.
        (newest, of_groups.unwrap_or(DateTime::UNIX_EPOCH))
    });
    let platform = Platform {
        users: users.all,
        teams: groups.map(|groups| groups.all).unwrap_or_default(),
    };
    Ok((platform, newest))
}
