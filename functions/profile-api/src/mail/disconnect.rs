//! `DELETE /v1/catalogs/{id}/mail-connection`: forgets the account, after a second word (S1-37…S1-39).

use axum::extract::State;
use axum::http::StatusCode;
use rollcall_clients::vault::VaultError;
use rollcall_domain::audit::{Action, AuditEvent};
use rollcall_domain::ids::CatalogId;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::failure::{Refused, stored};
use crate::request::{InPath, InQuery};
use crate::settings::show::vault;
use crate::{Api, now};

/// The second word.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Confirmation {
    /// `true` to confirm.
    #[serde(default)]
    confirm: bool,
}

/// Disconnects the account. Its grant is deleted at once; mails that wait are
/// kept until an account is connected again. Other catalogs are untouched, even
/// those that use the same account.
#[utoipa::path(delete, path = "/v1/catalogs/{id}/mail-connection", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog"), Confirmation),
    responses((status = 204, description = "Disconnected")))]
pub(crate) async fn disconnect(
    State(api): State<Api>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    InQuery(confirmation): InQuery<Confirmation>,
) -> Result<StatusCode, Refused> {
    api.must_administer(&caller, catalog).await?;
    let before = api.mail_of(caller.tenant, catalog).await?.value;
    let Some(account) = &before.account else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let services = &api.services;
    if !confirmation.confirm {
        let waiting = services.store.waiting(caller.tenant, catalog).await;
        let detail = format!(
            "Without {} the catalog sends no notifications and invitations until an account is connected again; {} mails wait already. Confirm with confirm=true.",
            account.address,
            waiting.map_err(stored)?
        );
        return Err(ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("confirm"));
    }
    let lease = api.alone(caller.tenant, catalog).await?;
    let forgotten = async {
        let mut grant = services.vault.grant(caller.tenant, catalog).await?;
        grant.drop_token();
        grant.draft = None;
        services
            .vault
            .put_grant(caller.tenant, catalog, &grant)
            .await
    };
    let forgotten: Result<(), VaultError> = forgotten.await;
    let ended = match forgotten {
        Ok(()) => end(&api, &caller, catalog, &account.address).await,
        Err(error) => Err(vault(&error)),
    };
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of a grant was not given back; it expires");
    }
    ended.map(|()| StatusCode::NO_CONTENT)
}

async fn end(api: &Api, caller: &Caller, catalog: CatalogId, address: &str) -> Result<(), Refused> {
    let at = now();
    let events = [AuditEvent::new(at, caller.actor(), Action::ConnectionEnded)
        .on(catalog, "")
        .with("account", address)];
    let services = &api.services;
    services.forget_tokens(caller.tenant, catalog);
    let ended = services.change_mail_connection(caller.tenant, catalog, &events, |it| {
        !it.disconnect(at).is_empty()
    });
    ended.await.map(|_| ()).map_err(stored)
}
