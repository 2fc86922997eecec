//! `PUT /v1/settings`: checks, tests and stores settings and credentials.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rollcall_clients::store::tenants::{Saved, Tenant};
use rollcall_clients::store::{Fence, Lease, MAINTENANCE_LEASE};
use rollcall_clients::vault::{AppRegistration, VaultError};
use rollcall_domain::base::audit::{Action, AuditEvent, changed_fields};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::Trigger;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::connection::installation::Feature;
use rollcall_domain::connection::{Check, CheckId, CheckStatus, ConnectionTest};
use rollcall_runtime::auth::Caller;

use super::input::{SettingsEdit, SettingsInput};
use super::model;
use super::show::SettingsView;
use crate::body::JsonBody;
use crate::connections;
use crate::error::ApiError;
use crate::extract::{etag, required_version};
use crate::state::{ApiState, now};

/// The lifetime of the lock while credentials are stored; afterwards maintenance may begin.
const LOCK: Duration = Duration::from_secs(30);

/// Saves the settings.
///
/// The first save requires all credentials and starts the first refresh. Later saves
/// require `If-Match`, and credentials only to replace them. Credentials are tested before
/// they are stored.
#[utoipa::path(put, path = "/v1/settings", tag = "Settings", request_body = SettingsInput,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read; not required for the first save")),
    responses(
        (status = 200, description = "Saved", body = SettingsView, headers(("ETag" = String, description = "Their new version"))),
        (status = 201, description = "Saved for the first time", body = SettingsView, headers(("ETag" = String, description = "Their version")))))]
pub(crate) async fn save(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    mut body: JsonBody,
) -> Result<Response, ApiError> {
    let before = api.services.store.tenant(caller.tenant).await?;
    if let Some(before) = &before
        && required_version(&headers)? != before.version
    {
        return Err(ApiError::Stale);
    }
    // Managing API keys requires the directory connection (S0-13).
    if body.has("learn365ApiKey") {
        connections::model::require_directory(&api, caller.tenant, Feature::ApiKeys).await?;
    }
    let credentials = model::credentials(&api, caller.tenant).await?;
    let settings = &api.services.settings;
    let input = SettingsEdit::read(&mut body, &credentials, |url| settings.is_lms_address(url));
    let input = body.complete(input)?;
    let connection = test_entered(&api, &caller, before.as_ref(), &input).await?;
    let saved = save_settings(&api, &caller, before.as_ref(), &input).await?;
    let notice = match saved {
        Saved::First => FIRST.to_owned(),
        Saved::Again => AGAIN.to_owned(),
    };
    if saved == Saved::First || connection.is_some() {
        request_refresh(&api, caller.tenant, saved, &caller.name).await?;
    }
    let tenant = model::tenant(&api, caller.tenant).await?;
    let credentials = model::credentials(&api, caller.tenant).await?;
    let tag = etag(tenant.version);
    let view = SettingsView::of(tenant, credentials).saved(notice, connection);
    let status = match saved {
        Saved::First => StatusCode::CREATED,
        Saved::Again => StatusCode::OK,
    };
    Ok((status, [(ETAG, tag)], Json(view)).into_response())
}

/// The notice after the first save (S4-102).
const FIRST: &str = "Saved. Rollcall will be ready for use within a few minutes; an e-mail is sent when it is ready.";
const AGAIN: &str = "Saved.";

/// Tests entered credentials. Invalid ones are rejected (S4-002, S4-016), and so are those
/// that cannot be tested at the moment.
async fn test_entered(
    api: &ApiState,
    caller: &Caller,
    before: Option<&Tenant>,
    input: &SettingsEdit,
) -> Result<Option<ConnectionTest>, ApiError> {
    let elsewhere = before.is_none_or(|before| before.settings.lms_url != input.settings.lms_url);
    if input.credentials().is_empty() && !elsewhere {
        return Ok(None);
    }
    let test = api.services.test_connection(caller.tenant, &input.entered);
    let test = Box::pin(test).await;
    let problems = test.problems();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if let Some(check) = unanswered(&test) {
        return Err(ApiError::unavailable(format!(
            "Nothing was saved, because this could not be checked: {} ({}). Try again shortly.",
            check.title, check.detail
        )));
    }
    Ok(Some(test))
}

/// Stores settings and credentials. The vault is not part of the table's transaction, so
/// storing credentials holds the maintenance lock: neither is written during maintenance
/// (S4-112).
async fn save_settings(
    api: &ApiState,
    caller: &Caller,
    before: Option<&Tenant>,
    input: &SettingsEdit,
) -> Result<Saved, ApiError> {
    let [saved, replaced] = events(caller, before, input, now());
    let expected = before.map(|before| before.version);
    let store = &api.services.store;
    let id = caller.tenant;
    if input.credentials().is_empty() {
        let saved = store.change_settings(id, &input.settings, expected, None, &saved);
        return Ok(saved.await?);
    }
    let lease = Lease::acquire(store, id, MAINTENANCE_LEASE, LOCK).await;
    let lease = lease?.ok_or(ApiError::Locked)?;
    let kept = save_both(api, id, input, expected, lease.fence(), [saved, replaced]).await;
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the maintenance lock could not be released; it expires");
    }
    kept
}

async fn save_both(
    api: &ApiState,
    id: TenantId,
    input: &SettingsEdit,
    expected: Option<u64>,
    fence: &Fence,
    [events, replaced]: [Vec<AuditEvent>; 2],
) -> Result<Saved, ApiError> {
    let store = &api.services.store;
    // The lock prevents other saves, so the version cannot change after this check.
    let now = store.tenant(id).await?;
    if now.map(|now| now.version) != expected {
        return Err(ApiError::Stale);
    }
    // The event is recorded before the vault is written, because no transaction covers both: an
    // event of a failed replacement is better than a replacement without an event.
    let recorded = store.record_under(fence, &replaced).await;
    recorded?;
    save_credentials(api, id, input).await?;
    let saved = store.change_settings(id, &input.settings, expected, Some(fence), &events);
    Ok(saved.await?)
}

async fn save_credentials(
    api: &ApiState,
    id: TenantId,
    input: &SettingsEdit,
) -> Result<(), VaultError> {
    let (vault, entered) = (&api.services.vault, &input.entered);
    // A new id or secret must be merged with the currently stored registration.
    vault.forget(id);
    if let Some(key) = &entered.lms_key {
        vault.put_lms_key(id, key).await?;
    }
    let app = match (&entered.client_id, &entered.client_secret) {
        (None, None) => return Ok(()),
        (Some(client), Some(secret)) => AppRegistration::new(client, secret.expose()),
        (Some(client), None) => {
            let stored = vault.app_registration(id).await?;
            AppRegistration::new(client, stored.secret().expose())
        }
        (None, Some(secret)) => {
            let stored = vault.app_registration(id).await?;
            AppRegistration::new(stored.client_id, secret.expose())
        }
    };
    vault.put_app_registration(id, &app).await
}

/// Requests a refresh: the first one, or one with the new credentials or from the new
/// region (S4-103, C-42).
async fn request_refresh(
    api: &ApiState,
    id: TenantId,
    saved: Saved,
    by: &str,
) -> Result<(), ApiError> {
    let tenant = model::tenant(api, id).await?;
    let trigger = match saved {
        Saved::First => Trigger::FirstSave,
        Saved::Again => Trigger::by_hand(by),
    };
    if let Err(error) = api
        .services
        .enqueue_run(&tenant, Job::Refresh, trigger)
        .await
    {
        // The sweep of new tenants and the next slot request it again.
        tracing::warn!(%error, "the refresh after saving could not be queued");
    }
    Ok(())
}

/// Returns the first required check that could not be made. Whether the key and the app
/// belong to one organisation cannot be checked in every tenant, so it is not required.
fn unanswered(test: &ConnectionTest) -> Option<&Check> {
    let mut checks = test.checks.iter();
    checks.find(|check| {
        let optional = matches!(
            check.id,
            CheckId::Learn365Tenant | CheckId::EntraExcessPermissions
        );
        check.status == CheckStatus::NotChecked && !optional
    })
}

/// Returns the audit events of the settings and of the credentials: names, never values.
fn events(
    caller: &Caller,
    before: Option<&Tenant>,
    input: &SettingsEdit,
    at: DateTime<Utc>,
) -> [Vec<AuditEvent>; 2] {
    let fields = match before {
        Some(before) => changed_fields(&before.settings, &input.settings).join(" "),
        None => String::new(),
    };
    let saved = AuditEvent::new(at, caller.actor(), Action::SettingsSaved).with("fields", fields);
    let replaced = input.credentials().into_iter().map(|name| {
        AuditEvent::new(at, caller.actor(), Action::CredentialReplaced).with("credential", name)
    });
    [vec![saved], replaced.collect()]
}
