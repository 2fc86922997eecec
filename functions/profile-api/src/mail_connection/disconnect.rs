//! `DELETE /v1/catalogs/{id}/mail-connection`: disconnects the account, after a confirmation
//! (S1-37…S1-39).

use axum::extract::State;
use axum::http::StatusCode;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::CatalogId;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::IntoParams;

use super::model;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery};
use crate::state::{ApiState, now};

/// The confirmation.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Confirmation {
    /// `true` to confirm.
    #[serde(default)]
    confirm: bool,
}

/// Disconnects the account of a catalog.
///
/// Its grant is deleted immediately. Waiting messages remain stored until an account is
/// connected again. Other catalogs are not affected, even if they use the same account.
#[utoipa::path(delete, path = "/v1/catalogs/{id}/mail-connection", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog"), Confirmation),
    responses((status = 204, description = "Disconnected")))]
pub(crate) async fn disconnect(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    InQuery(confirmation): InQuery<Confirmation>,
) -> Result<StatusCode, ApiError> {
    catalogs::must_administer(&api, &caller, catalog).await?;
    let before = model::find(&api, caller.tenant, catalog).await?.value;
    let Some(account) = &before.account else {
        // A sign-in may wait to be saved.
        if before.draft_until.is_some() {
            forget(&api, &caller, catalog, None).await?;
        }
        return Ok(StatusCode::NO_CONTENT);
    };
    let services = &api.services;
    if !confirmation.confirm {
        let waiting = services.store.waiting(caller.tenant, catalog).await;
        let detail = format!(
            "Without {} the catalog cannot send notifications and invitations until an account is connected again; {} messages are already waiting. Repeat the request with confirm=true.",
            account.address, waiting?
        );
        return Err(ApiError::conflict("confirm", detail));
    }
    forget(&api, &caller, catalog, Some(&account.address)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the account, first from the table, which records that the grant has to be
/// deleted, then from the vault. If the latter fails, a tick repeats it.
async fn forget(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
    address: Option<&str>,
) -> Result<(), ApiError> {
    let lease = model::lease(api, caller.tenant, catalog).await?;
    let ended = end(api, caller, catalog, address).await;
    if ended.is_ok()
        && let Err(error) = api.services.forget_grant(caller.tenant, catalog).await
    {
        tracing::warn!(%error, "the grant could not be deleted; the next tick deletes it");
    }
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of the grant could not be released; it expires");
    }
    ended
}

async fn end(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
    address: Option<&str>,
) -> Result<(), ApiError> {
    let at = now();
    let events = [AuditEvent::new(at, caller.actor(), Action::ConnectionEnded)
        .on(catalog, "")
        .with("account", address.unwrap_or_default())];
    let services = &api.services;
    services.forget_tokens(caller.tenant, catalog);
    let ended = services.change_mail_connection(caller.tenant, catalog, &events, |it| {
        it.disconnect(at);
        true
    });
    ended.await?;
    Ok(())
}
