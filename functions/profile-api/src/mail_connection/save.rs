//! `PUT /v1/catalogs/{id}/mail-connection`: saves the options and the account that signed in
//! (S1-30).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_clients::store::StoreError;
use rollcall_clients::vault::{Draft, VaultError};
use rollcall_domain::audience::settings::is_mail_address;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{MailConnection, MailOptions};
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::show::{ACS_CONTACT, MailConnectionView};
use super::{model, show};
use crate::body::JsonBody;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, required_version};
use crate::state::{ApiState, now};

/// The options and the account to save.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MailConnectionInput {
    /// True if the catalog sends e-mail, books rooms and creates meetings.
    enabled: bool,
    /// True if notifications are sent through Azure Communication Services, from its fixed
    /// address. Allowed only if it is activated for the organisation. Default: `false`.
    #[schema(value_type = Option<bool>)]
    use_azure_communication_services: bool,
    /// The address of the organisation's calendar with which scheduled sessions are shared.
    organization_calendar: Option<String>,
    /// The name returned by a sign-in, to connect its account to the catalog.
    #[schema(write_only)]
    sign_in: Option<String>,
}

impl MailConnectionInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        body.ignore(&[
            "catalog",
            "title",
            "version",
            "method",
            "status",
            "since",
            "account",
            "capabilities",
            "unavailable",
            "fault",
            "connectedBy",
            "connectedAt",
            "waiting",
        ]);
        for name in ["sender", "from"] {
            if body.secret(name).is_some() {
                let detail = "e-mail is sent from the connected account or from the fixed address of Azure Communication Services; a sender cannot be chosen";
                body.problem(format!("/{name}"), detail);
            }
        }
        let calendar: Option<String> = body.optional("organizationCalendar");
        let calendar = calendar.filter(|address| !address.is_empty());
        if calendar
            .as_deref()
            .is_some_and(|address| !is_mail_address(address))
        {
            body.problem(
                "/organizationCalendar",
                "must be an e-mail address, such as calendar@contoso.com",
            );
        }
        let enabled: bool = body.required("enabled").unwrap_or_default();
        let sign_in = body.secret("signIn");
        if sign_in.is_some() && !enabled {
            body.problem("/enabled", "must be true to connect an account");
        }
        let input = Self {
            enabled,
            use_azure_communication_services: body
                .optional("useAzureCommunicationServices")
                .unwrap_or_default(),
            organization_calendar: calendar,
            sign_in,
        };
        body.complete(Some(input))
    }

    fn options(&self) -> MailOptions {
        MailOptions {
            enabled: self.enabled,
            use_azure_communication_services: self.use_azure_communication_services,
            organization_calendar: self.organization_calendar.clone(),
        }
    }
}

/// The maximum number of attempts when concurrent writes conflict.
const TRIES: u32 = 6;

/// Saves the options of a catalog and, with `signIn`, the account that signed in.
///
/// That account then receives an e-mail, which proves that sending works.
#[utoipa::path(put, path = "/v1/catalogs/{id}/mail-connection", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = MailConnectionInput,
    responses((status = 200, description = "Saved", body = MailConnectionView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn save(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let expected = required_version(&headers)?;
    catalogs::must_administer(&api, &caller, catalog).await?;
    let input = MailConnectionInput::read(body)?;
    let tenant = caller.tenant;
    if input.use_azure_communication_services && !model::may_use_acs(&api, tenant).await? {
        return Err(not_activated());
    }
    let lease = model::lease(&api, tenant, catalog).await?;
    let saved = save_connection(&api, &caller, catalog, expected, &input).await;
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of the grant could not be released; it expires");
    }
    let after = saved?;
    // If this fails, a tick sends the greeting and resumes delivery.
    if let Err(error) = api.services.send_welcome(tenant, catalog, &after).await {
        tracing::error!(%error, "the greeting could not be queued; the next tick retries");
    }
    show::view_response(&api, tenant, catalog, after).await
}

fn not_activated() -> ApiError {
    let detail = format!(
        "Azure Communication Services are not activated for your organisation. Ask {ACS_CONTACT}."
    );
    ApiError::forbidden("not-activated", detail)
}

fn sign_in_over() -> ApiError {
    let detail = "This sign-in belongs to another user, was already saved, or is more than an hour old. Connect the account again.";
    ApiError::conflict("sign-in-expired", detail)
}

/// Stores the options and the account while holding the lease of the catalog's grant.
/// Concurrent writes of the service are preserved; a concurrent edit is a conflict.
async fn save_connection(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
    expected: u64,
    input: &MailConnectionInput,
) -> Result<MailConnection, ApiError> {
    let (tenant, at) = (caller.tenant, now());
    let mut signed_in = None;
    for _ in 0..TRIES {
        let before = model::find(api, tenant, catalog).await?;
        if before.value.edition != expected {
            return Err(ApiError::Stale);
        }
        if let (Some(name), None) = (&input.sign_in, &signed_in) {
            signed_in = Some(promote_draft(api, caller, catalog, name, at).await?);
        }
        let (after, events) = edited(&before.value, input, signed_in.as_ref(), caller, at);
        let events = events.into_iter();
        let events: Vec<_> = events
            .map(|event| event.on(catalog, &after.title))
            .collect();
        let version = (before.version > 0).then_some(before.version);
        let store = &api.services.store;
        let put = store.put_mail_connection(tenant, catalog, &after, version, &events);
        match put.await {
            Ok(_) => {}
            Err(StoreError::Conflict) => continue,
            Err(error) => return Err(error.into()),
        }
        if let Some((_, grant)) = &signed_in {
            api.services.forget_tokens(tenant, catalog);
            tidy_vault(api, tenant, catalog, grant).await;
        }
        return Ok(after);
    }
    Err(StoreError::Contended.into())
}

/// Deletes all grants but the current one. If that fails, the next renewal does it.
async fn tidy_vault(api: &ApiState, tenant: TenantId, catalog: CatalogId, grant: &str) {
    let vault = &api.services.vault;
    let tidied = async {
        let mut stored = vault.grant(tenant, catalog).await?;
        stored.retain_grant(grant);
        vault.put_grant(tenant, catalog, &stored).await
    };
    let tidied: Result<(), VaultError> = tidied.await;
    if let Err(error) = tidied {
        tracing::warn!(%error, "an outdated grant is still in the vault");
    }
}

/// Stores the grant of the waiting sign-in beside the current one and returns its name. It
/// takes effect when the table names it.
async fn promote_draft(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
    name: &str,
    at: DateTime<Utc>,
) -> Result<(Draft, String), ApiError> {
    let (tenant, services) = (caller.tenant, &api.services);
    let mut grant = services.vault.grant(tenant, catalog).await?;
    let waits = grant.draft.clone();
    let waits = waits.filter(|draft| draft.is(name, &caller.actor(), at));
    let (Some(draft), Some(name)) = (waits, grant.promote()) else {
        return Err(sign_in_over());
    };
    let put = services.vault.put_grant(tenant, catalog, &grant).await;
    put?;
    Ok((draft, name))
}

/// Returns the connection after the edit, and the audit events.
fn edited(
    before: &MailConnection,
    input: &MailConnectionInput,
    signed_in: Option<&(Draft, String)>,
    caller: &Caller,
    at: DateTime<Utc>,
) -> (MailConnection, Vec<AuditEvent>) {
    let mut after = before.clone();
    after.edition += 1;
    after.options = input.options();
    let mut events = Vec::new();
    if let Some((draft, grant)) = signed_in {
        let (account, can) = (draft.account.clone(), draft.can.clone());
        after.connect(account, can, grant.clone(), caller.actor(), at);
        events.push(event(caller, at, Action::ConnectionMade, &after));
    }
    events.push(event(caller, at, Action::ConnectionSaved, &after));
    (after, events)
}

fn event(caller: &Caller, at: DateTime<Utc>, action: Action, after: &MailConnection) -> AuditEvent {
    let account = after.account.as_ref().map(|it| it.address.as_str());
    AuditEvent::new(at, caller.actor(), action)
        .with("enabled", after.options.enabled)
        .with(
            "azureCommunicationServices",
            after.options.use_azure_communication_services,
        )
        .with(
            "organizationCalendar",
            after
                .options
                .organization_calendar
                .as_deref()
                .unwrap_or_default(),
        )
        .with("account", account.unwrap_or_default())
}
