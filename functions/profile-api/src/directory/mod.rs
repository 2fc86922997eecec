//! Live access to the directory: users, groups, guest invitations, groups in catalogs
//! (S0-08…S0-12).

pub(crate) mod groups;
pub(crate) mod guests;
pub(crate) mod people;

use rollcall_clients::graph::{GraphError, GraphReader, GraphWriter};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::Origin;

use crate::connections;
use crate::error::ApiError;
use crate::state::ApiState;

/// Returns the client that reads the tenant's directory, see [`writer`].
pub(crate) async fn reader(api: &ApiState, tenant: TenantId) -> Result<GraphReader, ApiError> {
    Ok(writer(api, tenant).await?.reader().clone())
}

/// Returns the client that changes the tenant's directory: through this service's own
/// app where a Global Administrator consented, through the tenant's app registration
/// where the tenant is connected by default without a consent.
pub(crate) async fn writer(api: &ApiState, tenant: TenantId) -> Result<GraphWriter, ApiError> {
    if connections::model::directory_status(api, tenant)
        .await?
        .origin()
        == Some(Origin::Default)
    {
        let record = crate::settings::model::tenant(api, tenant).await?;
        let graph = api.services.graph_writer(&record).await;
        return graph.map_err(ApiError::Directory);
    }
    Ok(api.services.directory_writer(tenant).await?)
}

/// Returns the error for a refusal by Graph; records a withdrawn consent (S0-21).
pub(crate) async fn refused(api: &ApiState, tenant: TenantId, error: GraphError) -> ApiError {
    if let Err(error) = api.services.directory_refused(tenant, &error).await {
        tracing::error!(%error, "the loss of the directory connection could not be recorded");
    }
    ApiError::Graph(error)
}
