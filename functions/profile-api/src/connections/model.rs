//! The status of the connection to the directory.

use axum::http::StatusCode;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::installation::{Feature, Installation};
use rollcall_domain::connection::{EntraConnection, Origin};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::problem::Connect;

use crate::error::ApiError;
use crate::state::ApiState;

/// How the directory's connection stands, all of it.
pub(crate) struct DirectoryStatus {
    pub(crate) installation: Installation,
    pub(crate) connection: Option<Versioned<EntraConnection>>,
}

impl DirectoryStatus {
    /// How the connection came about; `None` while there is none that works.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let connection = self.connection.as_ref().map(|stored| &stored.value);
        self.installation.origin(connection)
    }
}

/// Reads how the directory's connection stands.
pub(crate) async fn directory_status(
    api: &ApiState,
    tenant: TenantId,
) -> Result<DirectoryStatus, ApiError> {
    let store = &api.services.store;
    let (installation, connection) =
        tokio::try_join!(store.installation(tenant), store.entra_connection(tenant))?;
    Ok(DirectoryStatus {
        installation,
        connection,
    })
}

/// Lets a request pass whose feature needs the directory connected.
///
/// # Errors
/// 409 with the way to connect it (S0-14, S0-17).
pub(crate) async fn require_directory(
    api: &ApiState,
    tenant: TenantId,
    feature: Feature,
) -> Result<(), ApiError> {
    if directory_status(api, tenant).await?.origin().is_some() {
        return Ok(());
    }
    let detail = format!(
        "This needs the connection to Microsoft Entra ID ({}). A Global Administrator has to connect it once.",
        feature.title()
    );
    let problem = ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("integration-required");
    Err(problem.connect_at(Connect::Directory).into())
}
