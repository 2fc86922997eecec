//! The plans of tenants, entered by operators.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::entitlement::{Entitlement, Plan};
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::InPath;
use crate::state::{ApiState, now};

/// A plan to store.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntitlementInput {
    /// The plan.
    plan: Plan,
    /// When the plan ends. Default: never.
    until: Option<DateTime<Utc>>,
    /// True if notifications may be sent through Azure Communication Services. Default:
    /// `false`.
    #[schema(value_type = Option<bool>)]
    azure_communication_services: bool,
    /// True if the directory sync is enabled. Default: `false`.
    #[schema(value_type = Option<bool>)]
    directory_sync: bool,
}

impl EntitlementInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let plan = body.required("plan");
        let until = body.optional("until");
        let azure_communication_services = body.or_default("azureCommunicationServices");
        let directory_sync = body.or_default("directorySync");
        body.complete(plan.map(|plan| Self {
            plan,
            until,
            azure_communication_services,
            directory_sync,
        }))
    }
}

/// Returns the plan of a tenant.
#[utoipa::path(get, path = "/v1/operator/tenants/{tenant}/entitlement", tag = "Operator",
    params(("tenant" = TenantId, Path, description = "The Entra tenant")),
    responses((status = 200, description = "The plan that an operator entered", body = Entitlement)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    InPath(tenant): InPath<TenantId>,
) -> Result<Json<Entitlement>, ApiError> {
    let plan = api.services.store.entitlement(tenant).await;
    plan?.map(Json).ok_or(ApiError::Missing)
}

/// Stores the plan of a tenant (S4-001).
///
/// It takes effect within one minute.
#[utoipa::path(put, path = "/v1/operator/tenants/{tenant}/entitlement", tag = "Operator",
    params(("tenant" = TenantId, Path, description = "The Entra tenant")),
    request_body = EntitlementInput,
    responses((status = 200, description = "The plan as stored", body = Entitlement)))]
pub(crate) async fn change(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    body: JsonBody,
) -> Result<Json<Entitlement>, ApiError> {
    let input = EntitlementInput::read(body)?;
    let entitlement = Entitlement {
        plan: input.plan,
        until: input.until,
        azure_communication_services: input.azure_communication_services,
        directory_sync: input.directory_sync,
    };
    let name = serde_json::to_value(input.plan).unwrap_or_default();
    let event = AuditEvent::new(now(), caller.actor(), Action::EntitlementChanged)
        .with("plan", name.as_str().unwrap_or_default())
        .with(
            "azureCommunicationServices",
            input.azure_communication_services,
        )
        .with("directorySync", input.directory_sync);
    let store = &api.services.store;
    let put = store.put_entitlement(tenant, &entitlement, &event).await;
    put?;
    api.entitlements.forget(tenant);
    Ok(Json(entitlement))
}
