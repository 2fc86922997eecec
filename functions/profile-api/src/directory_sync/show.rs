//! `GET /v1/sync`: the configuration and status; of credentials only whether they are set.

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rollcall_clients::store::connections::Versioned;
use rollcall_clients::vault::SyncCredentials;
use rollcall_domain::base::audit::Actor;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::connection::{ConnectionStatus, ConnectionTest};
use rollcall_domain::directory_sync::{
    Pause, Schedule, SourceConnection, SyncConfig, SyncPhase, SyncState,
};
use rollcall_runtime::auth::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::model;
use super::run_view::run_id;
use crate::error::ApiError;
use crate::extract::etag;
use crate::settings::show::CredentialMarkView;
use crate::state::{ApiState, now};

/// The message shown while the directory is connected (S3-09).
const CONNECTED: &str = "Microsoft Entra ID is connected to Perform & Engage 365.";

/// The directory sync.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncView {
    /// The version, also in the header `ETag`. Only edits by administrators increase it.
    version: u64,
    /// The configuration.
    #[serde(flatten)]
    config: SyncConfig,
    /// The status of the connection.
    status: ConnectionStatus,
    /// A message about the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// The phase.
    phase: SyncPhase,
    /// How the directory is read; absent while it is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceConnection>,
    /// The client secret of the app registration.
    client_secret: CredentialMarkView,
    /// Days until the client secret expires, if an expiry was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_expires_in_days: Option<i64>,
    /// The token of the SCIM service.
    scim_token: CredentialMarkView,
    /// True if the current configuration has passed a test.
    tested: bool,
    /// The time of the last test.
    #[serde(skip_serializing_if = "Option::is_none")]
    tested_at: Option<DateTime<Utc>>,
    /// Why scheduled runs are paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<Pause>,
    /// Times set by an operator, which replace the configured ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_times: Option<Schedule>,
    /// When the next scheduled run is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run: Option<DateTime<Utc>>,
    /// The comparison that waits for an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<PendingView>,
    /// True if the chosen recipient was no Super admin when last seen (S3-27).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recipient_lost: bool,
    /// Who last changed the configuration.
    modified_by: Actor,
    /// When the configuration was last changed.
    modified_at: DateTime<Utc>,
    /// The result of the test, only in the response to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<ConnectionTest>,
}

/// A waiting comparison.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncPending)]
pub(crate) struct PendingView {
    /// The id of the run that made it and lists its changes.
    run: String,
    /// When it was made.
    at: DateTime<Utc>,
    /// Why it waits although changes are applied automatically.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    /// Who approved it, so that a run applies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<Actor>,
}

/// A Super admin who can be notified.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncRecipient)]
pub(crate) struct Recipient {
    /// The object id, for `notify`.
    id: ObjectId,
    /// The display name.
    name: String,
    /// The sign-in name.
    email: String,
}

/// The possible recipients.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncRecipients)]
pub(crate) struct Recipients {
    /// The Super admins who have used the API within the last year, by name.
    items: Vec<Recipient>,
}

impl SyncView {
    pub(super) fn of(
        found: Versioned<SyncState>,
        credentials: &SyncCredentials,
        at: DateTime<Utc>,
    ) -> Self {
        let value = found.value;
        let status = value.status(at);
        let (client_secret, scim_token) = credentials.marks();
        let pending = value.pending.as_ref().map(|pending| PendingView {
            run: run_id(pending.run),
            at: pending.at,
            held: pending.held.clone(),
            approved_by: pending.approved.as_ref().map(|(by, _)| by.clone()),
        });
        Self {
            version: value.edits,
            status,
            message: message(&value, status),
            phase: value.phase,
            secret_expires_in_days: value.expires_in(at),
            client_secret: client_secret.into(),
            scim_token: scim_token.into(),
            tested: value.is_tested(),
            tested_at: value.test.as_ref().map(|test| test.at),
            source: value.source,
            pause: value.pause,
            operator_times: value.operator,
            next_run: value.due,
            review: pending,
            recipient_lost: false,
            modified_by: value.by,
            modified_at: value.at,
            config: value.config,
            test: None,
        }
    }
}

/// Returns the message about the status; none for a pause, which has its own text.
fn message(state: &SyncState, status: ConnectionStatus) -> Option<&'static str> {
    match status {
        ConnectionStatus::Disconnected => Some(
            "Disconnected: the credentials are deleted. Enter the app registration and the token again, or connect with a Global Administrator's consent; then test and activate.",
        ),
        _ if state.has_failed_test() => {
            Some("The last test failed; test again to see what is wrong.")
        }
        status => status.is_usable().then_some(CONNECTED),
    }
}

/// Returns the response with the current state of the sync.
pub(super) async fn view_response(
    api: &ApiState,
    caller: &Caller,
    test: Option<ConnectionTest>,
) -> Result<Response, ApiError> {
    let found = model::find(api, caller.tenant).await?;
    let credentials = model::credentials(api, caller.tenant).await?;
    let tag = etag(found.value.edits);
    let notify = found.value.config.notify;
    let mut view = SyncView::of(found, &credentials, now());
    if let Some(recipient) = notify {
        view.recipient_lost = !model::is_super_admin(api, caller, recipient).await?;
    }
    view.test = test;
    Ok(([(ETAG, tag)], Json(view)).into_response())
}

/// Returns the configuration and status of the directory sync.
///
/// Its `ETag` is required to change it.
#[utoipa::path(get, path = "/v1/sync", tag = "Directory sync",
    responses((status = 200, description = "The configuration and status", body = SyncView, headers(("ETag" = String, description = "Its version")))))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    view_response(&api, &caller, None).await
}

/// Lists the Super admins who can be notified when a run is complete (S3-26).
#[utoipa::path(get, path = "/v1/sync/recipients", tag = "Directory sync",
    responses((status = 200, description = "The possible recipients", body = Recipients)))]
pub(crate) async fn recipients(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<Recipients>, ApiError> {
    let all = api.services.store.admins(caller.tenant).await?;
    let all = all
        .into_iter()
        .filter(|(_, admin)| admin.roles.contains("SuperAdmin"));
    let mut items: Vec<Recipient> = all
        .map(|(id, admin)| Recipient {
            id,
            name: admin.display_name.unwrap_or_else(|| admin.name.clone()),
            email: admin.name,
        })
        .collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(Recipients { items }))
}
