//! `GET /v1/health`: whether the deployment works at all.

use axum::Json;
use axum::extract::State;
use rollcall_domain::base::ids::TenantId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::state::ApiState;

/// The answer when all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Anybody may ask, so the answer says nothing but whether the table answers.
/// A consistent read of an item that never exists is the cheapest proof.
#[utoipa::path(get, path = "/v1/health", tag = "Service",
    responses((status = 200, description = "The deployment works", body = Health)))]
pub(crate) async fn show(State(api): State<ApiState>) -> Result<Json<Health>, ApiError> {
    let nobody = TenantId::new(Uuid::nil());
    api.services.store.tenant(nobody).await?;
    Ok(Json(Health { status: "ok" }))
}
