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

/// The connection to the directory and the installation data it depends on.
pub(crate) struct DirectoryStatus {
    pub(crate) installation: Installation,
    pub(crate) connection: Option<Versioned<EntraConnection>>,
}

impl DirectoryStatus {
    /// Returns how the directory was connected; `None` if it is not connected.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let connection = self.connection.as_ref().map(|stored| &stored.value);
        self.installation.origin(connection)
    }
}

/// Reads the status of the connection to the directory.
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

/// Checks that the directory is connected, because a feature requires it.
///
/// # Errors
/// 409 with the path to connect it (S0-14, S0-17).
pub(crate) async fn require_directory(
    api: &ApiState,
    tenant: TenantId,
    feature: Feature,
) -> Result<(), ApiError> {
    if directory_status(api, tenant).await?.origin().is_some() {
        return Ok(());
    }
    let detail = format!(
        "This requires the connection to Microsoft Entra ID ({}). A Global Administrator has to connect it once.",
        feature.title()
    );
    let problem = ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("integration-required");
    Err(problem.connect_at(Connect::Directory).into())
}
