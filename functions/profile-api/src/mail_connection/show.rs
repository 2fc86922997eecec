//! `GET /v1/catalogs/{id}/mail-connection`: account, status and capabilities (S1-18).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Capability, ConnectionStatus, Fault, MailConnection, Unable};
use rollcall_runtime::auth::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::model;
use crate::error::ApiError;
use crate::extract::{InPath, etag};
use crate::state::ApiState;

/// The contact for activating Azure Communication Services (S1-28).
pub(crate) const ACS_CONTACT: &str =
    "your Zensai Customer Success Manager, or customersuccess@zensai.com";

/// The connection of a catalog to its Microsoft 365 account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MailConnectionView {
    catalog: CatalogId,
    title: String,
    /// The version, also in the header `ETag`; 0 before the first save.
    version: u64,
    /// True if the catalog sends e-mail, books rooms and creates meetings (S1-05).
    enabled: bool,
    /// How to connect an account; present only while enabled (S1-06).
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    status: ConnectionStatus,
    since: DateTime<Utc>,
    /// The connected account, so that other administrators see which one it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
    /// The capabilities available now.
    capabilities: BTreeSet<Capability>,
    /// The unavailable capabilities, with reasons.
    unavailable: Vec<Unable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_at: Option<DateTime<Utc>>,
    /// The number of messages that wait for the rate limit or for a working connection.
    waiting: u64,
    /// True if notifications are sent through Azure Communication Services; absent if it is
    /// not activated for the organisation (S1-28).
    #[serde(skip_serializing_if = "Option::is_none")]
    use_azure_communication_services: Option<bool>,
    /// The organisation's calendar with which sessions are shared (S1-29).
    organization_calendar: Option<String>,
}

/// The way to connect an account: it signs in at Microsoft, including multi-factor
/// authentication if required; no password is entered here (S1-07, S1-08).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Method {
    /// Always `modern_authentication`.
    name: &'static str,
    /// The path to post to in order to start the sign-in.
    connect: String,
    /// The permissions that the account is asked to grant.
    permissions: Vec<&'static str>,
}

/// The connected account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccountView {
    address: String,
    name: String,
}

/// Returns the catalog's Microsoft 365 account, its status and its capabilities.
#[utoipa::path(get, path = "/v1/catalogs/{id}/mail-connection", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog")),
    responses((status = 200, description = "The connection", body = MailConnectionView, headers(("ETag" = String, description = "Its version")))))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
) -> Result<Response, ApiError> {
    let found = model::find(&api, caller.tenant, catalog).await?;
    view_response(&api, caller.tenant, catalog, found.value).await
}

/// Returns the response with the connection.
pub(crate) async fn view_response(
    api: &ApiState,
    tenant: TenantId,
    catalog: CatalogId,
    connection: MailConnection,
) -> Result<Response, ApiError> {
    let store = &api.services.store;
    let waiting = store.waiting(tenant, catalog).await?;
    let activated = model::may_use_acs(api, tenant).await?;
    let edition = connection.edition;
    let view = view(catalog, connection, waiting, activated);
    Ok(([(ETAG, etag(edition))], Json(view)).into_response())
}

fn view(
    catalog: CatalogId,
    it: MailConnection,
    waiting: u64,
    activated: bool,
) -> MailConnectionView {
    let able = it.can.able.iter().copied();
    let capabilities = able.filter(|capability| it.allows(*capability)).collect();
    let method = it.options.enabled.then(|| Method {
        name: "modern_authentication",
        connect: format!("/v1/catalogs/{catalog}/mail-connection/connect"),
        permissions: rollcall_domain::connection::DELEGATED_SCOPES.to_vec(),
    });
    MailConnectionView {
        catalog,
        title: it.title,
        version: it.edition,
        enabled: it.options.enabled,
        method,
        status: it.status,
        since: it.since,
        account: it.account.map(|account| AccountView {
            address: account.address,
            name: account.name,
        }),
        capabilities,
        unavailable: it.can.unable,
        fault: it.fault,
        connected_by: it.by.map(|by| by.name),
        connected_at: it.connected_at,
        waiting,
        use_azure_communication_services: activated
            .then_some(it.options.use_azure_communication_services),
        organization_calendar: it.options.organization_calendar,
    }
}
