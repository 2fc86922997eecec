//! Connections: the tenant's directory, catalogs' accounts, and what they make possible.

pub(crate) mod entra;
pub(crate) mod list;

use axum::http::StatusCode;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::installation::{Feature, Installation};
use rollcall_domain::connection::{EntraConnection, Origin};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::problem::Connect;

use crate::ApiState;
use crate::error::ApiError;

/// Where the directory is connected (S0-14, S0-18).
pub(crate) const CONNECT: &str = "/v1/connections/entra/connect";

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

impl ApiState {
    /// Reads how the directory's connection stands.
    pub(crate) async fn directory_of(&self, tenant: TenantId) -> Result<DirectoryStatus, ApiError> {
        let store = &self.services.store;
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
    pub(crate) async fn needs(&self, tenant: TenantId, feature: Feature) -> Result<(), ApiError> {
        if self.directory_of(tenant).await?.origin().is_some() {
            return Ok(());
        }
        let detail = format!(
            "This needs the connection to Microsoft Entra ID ({}). A Global Administrator has to connect it once.",
            feature.title()
        );
        let problem =
            ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("integration-required");
        Err(problem.connect_at(Connect::Directory).into())
    }
}
