//! Sessions as they are stored.

use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, SessionId, TenantId};
use rollcall_domain::course_session::CourseSession;

use crate::error::ApiError;
use crate::state::ApiState;

/// A session that exists.
pub(crate) async fn find(
    api: &ApiState,
    tenant: TenantId,
    catalog: CatalogId,
    session: SessionId,
) -> Result<Versioned<CourseSession>, ApiError> {
    let found = api.services.store.session(tenant, catalog, session).await;
    found?.ok_or(ApiError::Missing)
}
