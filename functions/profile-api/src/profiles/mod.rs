//! Profiles: what people write, what comes of it, and how it came about.

pub(crate) mod courses;
pub(crate) mod delete;
mod evaluation;
pub(crate) mod explain;
pub(crate) mod hold;
mod input;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod preview;
pub(crate) mod save;
pub(crate) mod show;
mod validation;
pub(crate) mod versions;
mod view;

use rollcall_clients::store::profiles::StoredProfile;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ProfileId, TenantId};

use crate::ApiState;
use crate::error::ApiError;

/// A profile and its version.
pub(crate) struct VersionedProfile {
    pub(crate) profile: Profile,
    pub(crate) version: u64,
}

impl ApiState {
    /// One of the caller's tenant's profiles, deleted or not.
    pub(crate) async fn profile(
        &self,
        tenant: TenantId,
        id: ProfileId,
    ) -> Result<VersionedProfile, ApiError> {
        let found = self.services.store.profile(tenant, id).await;
        readable(found?.ok_or(ApiError::Missing)?)
    }
}

fn readable(found: StoredProfile) -> Result<VersionedProfile, ApiError> {
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
