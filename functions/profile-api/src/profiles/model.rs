//! Reads and stores profiles, their versions and their status.

use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{ProfileId, TenantId};

use super::view::ProfileStatusView;
use crate::error::ApiError;
use crate::state::ApiState;

/// A profile and its version.
pub(crate) struct VersionedProfile {
    pub(crate) profile: Profile,
    pub(crate) version: u64,
}

/// Returns a profile of the tenant, even if it is deleted.
pub(crate) async fn find(
    api: &ApiState,
    tenant: TenantId,
    id: ProfileId,
) -> Result<VersionedProfile, ApiError> {
    let found = api.services.store.profile(tenant, id).await;
    let found = found?.ok_or(ApiError::Missing)?;
    match found.profile {
        Ok(profile) => Ok(VersionedProfile {
            profile,
            version: found.version,
        }),
        Err(problem) => Err(ApiError::UnreadableProfile {
            key: found.key,
            problem,
        }),
    }
}

/// Returns an active profile at the version that the caller read.
///
/// # Errors
/// 412 if the version is stale; 409 if it is deleted.
pub(crate) async fn active_profile(
    api: &ApiState,
    tenant: TenantId,
    id: ProfileId,
    expected: u64,
) -> Result<VersionedProfile, ApiError> {
    let read = find(api, tenant, id).await?;
    if read.version != expected {
        return Err(ApiError::Stale);
    }
    if read.profile.is_deleted() {
        let detail = "This profile is deleted; restore it first.";
        return Err(ApiError::conflict("deleted", detail));
    }
    Ok(read)
}

/// Stores a version with its audit event, unless the tenant is locked. `expected` is the version
/// to replace, `None` for a new profile; for `links` see [`super::validation::links_version`].
pub(crate) async fn save_profile(
    api: &ApiState,
    tenant: TenantId,
    profile: Profile,
    expected: Option<u64>,
    event: &AuditEvent,
    links: Option<u64>,
) -> Result<VersionedProfile, ApiError> {
    let store = &api.services.store;
    let put = store.save_audited_profile(tenant, &profile, expected, Some(event), links);
    put.await?;
    Ok(VersionedProfile {
        profile,
        version: expected.map_or(1, |version| version + 1),
    })
}

/// Returns the status of a profile.
pub(crate) async fn profile_status(
    api: &ApiState,
    tenant: TenantId,
    read: &VersionedProfile,
) -> Result<ProfileStatusView, ApiError> {
    let store = &api.services.store;
    let id = read.profile.id;
    // Boxed, because several concurrent reads make a large future.
    let all = Box::pin(async {
        futures::try_join!(
            store.tenant(tenant),
            store.profile_states_of(tenant, [id]),
            store.hold(tenant, id)
        )
    });
    let (settings, mut states, hold) = all.await?;
    let prefix = settings.map(|tenant| tenant.settings.group_prefix);
    let name = read.profile.group_name(&prefix.unwrap_or_default());
    Ok(ProfileStatusView::of(
        states.remove(&id),
        hold.as_ref(),
        name,
    ))
}

/// Returns the status after a save, or an empty one: an error in reading it must not look
/// like an error in saving.
pub(crate) async fn profile_status_if_known(
    api: &ApiState,
    tenant: TenantId,
    read: &VersionedProfile,
) -> ProfileStatusView {
    let status = profile_status(api, tenant, read).await;
    status.unwrap_or_else(|error| {
        error.log();
        ProfileStatusView::of(None, None, String::new())
    })
}
