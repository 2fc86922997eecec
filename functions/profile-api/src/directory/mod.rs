//! The directory, live: people and groups looked up, guests invited, groups put into catalogs (S0-08…S0-12).

pub(crate) mod groups;
pub(crate) mod guests;
pub(crate) mod people;

use axum::http::StatusCode;
use rollcall_app::consent::DirectoryError;
use rollcall_clients::graph::{GraphError, GraphReader, GraphWriter};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::Origin;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::problem::Connect;

use crate::ApiState;
use crate::error::{Refused, unavailable};

impl ApiState {
    /// Reads the tenant's directory, see [`Self::graph_writer`].
    pub(crate) async fn graph_reader(&self, tenant: TenantId) -> Result<GraphReader, Refused> {
        Ok(self.graph_writer(tenant).await?.reader().clone())
    }

    /// Changes the tenant's directory: through this service's own app where a Global
    /// Administrator consented, through the tenant's app registration where the
    /// connection stands by default and nobody ever consented.
    pub(crate) async fn graph_writer(&self, tenant: TenantId) -> Result<GraphWriter, Refused> {
        if self.directory_of(tenant).await?.origin() == Some(Origin::Default) {
            let record = crate::runs::tenant(self, tenant).await?;
            let graph = self.services.graph_writer(&record).await;
            return graph.map_err(|error| silent(&error));
        }
        self.services
            .directory_writer(tenant)
            .await
            .map_err(|error| match error {
                DirectoryError::App(error) => crate::connections::entra::app(&error),
                DirectoryError::Connect(error) => silent(&error),
            })
    }
}

fn silent(error: &dyn std::fmt::Display) -> ProblemDetails {
    tracing::error!(%error, "the directory cannot be asked");
    unavailable("The directory cannot be asked now; try again shortly.")
}

impl ApiState {
    /// Graph's refusal as an answer; a consent that was withdrawn is noted (S0-21).
    pub(crate) async fn said(&self, tenant: TenantId, error: GraphError) -> ProblemDetails {
        if let Err(error) = self.services.directory_refused(tenant, &error).await {
            tracing::error!(%error, "the loss of a directory could not be noted");
        }
        graph(&error)
    }
}

fn graph(error: &GraphError) -> ProblemDetails {
    if error.is_auth() {
        let detail = "The directory does not let this service do that: a permission is missing. A Global Administrator has to connect it again.";
        return ProblemDetails::new(StatusCode::CONFLICT, detail)
            .of_kind("permission-missing")
            .connect_at(Connect::Directory);
    }
    silent(error)
}
