//! Reads stored sessions.

use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, SessionId, TenantId};
use rollcall_domain::course_session::CourseSession;

use crate::error::ApiError;
use crate::state::ApiState;

/// Returns an existing session.
pub(crate) async fn find(
    api: &ApiState,
    tenant: TenantId,
    catalog: CatalogId,
    session: SessionId,
) -> Result<Versioned<CourseSession>, ApiError> {
    let found = api.services.store.session(tenant, catalog, session).await;
    found?.ok_or(ApiError::Missing)
}
