//! `GET /v1/health`: whether the deployment works at all.

use axum::Json;
use axum::extract::State;
use rollcall_domain::ids::TenantId;
use rollcall_runtime::ProblemDetails;
use serde::Serialize;
use uuid::Uuid;

use crate::{Api, unreadable};

/// The answer when all is well.
#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

/// Anybody may ask, so the answer says nothing but whether the table answers.
/// A consistent read of an item that never exists is the cheapest proof.
pub(crate) async fn show(State(api): State<Api>) -> Result<Json<Health>, ProblemDetails> {
    let nobody = TenantId::new(Uuid::nil());
    api.services
        .store
        .tenant(nobody)
        .await
        .map_err(unreadable)?;
    Ok(Json(Health { status: "ok" }))
}
