//! `GET /v1/health`: checks that the deployment works.

use axum::Json;
use axum::extract::State;
use rollcall_domain::base::ids::TenantId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::state::ApiState;

/// The response of a working deployment.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Checks that the deployment works.
///
/// No token is required, so the response contains only the status.
#[utoipa::path(get, path = "/v1/health", tag = "Service",
    responses((status = 200, description = "The deployment works", body = Health)))]
pub(crate) async fn show(State(api): State<ApiState>) -> Result<Json<Health>, ApiError> {
    // A consistent read of an item that never exists is the cheapest check of the table.
    let no_tenant = TenantId::new(Uuid::nil());
    api.services.store.tenant(no_tenant).await?;
    Ok(Json(Health { status: "ok" }))
}
