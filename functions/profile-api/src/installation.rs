//! Installation data of tenants, entered by operators (S0-01…S0-04, S0-23).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::installation::Installation;
use rollcall_runtime::auth::Caller;

use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::InPath;
use crate::state::{ApiState, now};

/// Returns the installation data of a tenant.
#[utoipa::path(get, path = "/v1/operator/tenants/{tenant}/installation", tag = "Operator",
    params(("tenant" = TenantId, Path, description = "The Entra tenant")),
    responses((status = 200, description = "The installation data; empty if none was entered", body = Installation)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    InPath(tenant): InPath<TenantId>,
) -> Result<Json<Installation>, ApiError> {
    Ok(Json(api.services.store.installation(tenant).await?))
}

/// Stores the version with which a tenant was installed, and its environments.
///
/// The version determines how the tenant's directory is connected.
#[utoipa::path(put, path = "/v1/operator/tenants/{tenant}/installation", tag = "Operator",
    params(("tenant" = TenantId, Path, description = "The Entra tenant")),
    request_body = Installation,
    responses((status = 200, description = "The stored installation data", body = Installation)))]
pub(crate) async fn change(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    mut body: JsonBody,
) -> Result<Json<Installation>, ApiError> {
    let installation = Installation {
        version: body.optional("version"),
        environments: body.or_default::<BTreeSet<String>>("environments"),
    };
    for problem in installation.problems() {
        body.problem(problem.pointer, problem.detail);
    }
    body.finish()?;
    let event = AuditEvent::new(now(), caller.actor(), Action::InstallationChanged).with(
        "version",
        installation.version.as_deref().unwrap_or_default(),
    );
    let store = &api.services.store;
    let put = store.put_installation(tenant, &installation, &event).await;
    put?;
    Ok(Json(installation))
}
