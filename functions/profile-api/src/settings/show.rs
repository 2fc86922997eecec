//! `GET /v1/settings`: the settings; of credentials only whether they are set (S4-023).

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::{CredentialMark, StoredCredentials};
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::base::throttle::DefaultLimit;
use rollcall_domain::connection::ConnectionTest;
use rollcall_runtime::auth::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::model;
use super::model::tenant;
use crate::error::ApiError;
use crate::extract::etag;
use crate::state::ApiState;

/// The settings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Settings)]
pub(crate) struct SettingsView {
    /// The version, also in the header `ETag`.
    version: u64,
    /// The state of the onboarding.
    onboarding: Onboarding,
    /// The e-mail address for notifications.
    contact: String,
    /// Further addresses for the same notifications.
    also_notify: BTreeSet<String>,
    /// The prefix of the names of groups.
    group_prefix: String,
    /// The tenant's name.
    display_name: String,
    /// The address of the Learn365 region; empty for that of the deployment.
    lms_url: String,
    /// The Entra user properties that rules may use.
    entra_properties: BTreeSet<String>,
    /// The catalogs of each catalog admin, by the admin's Entra object id.
    catalog_admins: BTreeMap<String, BTreeSet<CatalogId>>,
    /// The limit for changes of profiles that have none of their own; `null` if it is switched off.
    default_limit: Option<DefaultLimit>,
    /// The Learn365 API key.
    learn365_api_key: CredentialMarkView,
    /// The app registration in Entra ID.
    entra_app: EntraApp,
    /// A notice after a save (S4-102).
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    /// The result of the connection test, if the save included one.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionTest>,
}

/// The state of a credential, without its value.
#[derive(Serialize, ToSchema)]
#[schema(as = Mark)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialMarkView {
    /// True if it is set.
    is_set: bool,
    /// The last four characters, to recognize it; absent for short credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<String>,
}

/// The app registration in Entra ID.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntraApp {
    /// The application (client) id.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// The client secret.
    client_secret: CredentialMarkView,
}

impl From<CredentialMark> for CredentialMarkView {
    fn from(mark: CredentialMark) -> Self {
        Self {
            is_set: mark.is_set,
            ending: mark.ending,
        }
    }
}

impl SettingsView {
    /// Returns the settings without the values of credentials.
    pub(crate) fn of(tenant: Tenant, credentials: StoredCredentials) -> Self {
        let settings = tenant.settings;
        let admins = settings.catalog_admins.into_iter();
        Self {
            version: tenant.version,
            onboarding: tenant.onboarding,
            contact: settings.contact,
            also_notify: settings.also_notify,
            group_prefix: settings.group_prefix,
            display_name: settings.display_name,
            lms_url: settings.lms_url,
            entra_properties: settings.entra_properties,
            catalog_admins: admins
                .map(|(admin, own)| (admin.to_string(), own))
                .collect(),
            default_limit: settings.default_limit,
            learn365_api_key: credentials.lms_key.into(),
            entra_app: EntraApp {
                client_id: credentials.client_id,
                client_secret: credentials.client_secret.into(),
            },
            notice: None,
            connection: None,
        }
    }

    /// Adds the notice and the test result after a save.
    pub(crate) fn saved(mut self, notice: String, connection: Option<ConnectionTest>) -> Self {
        self.notice = Some(notice);
        self.connection = connection;
        self
    }
}

/// Returns the settings.
///
/// Their `ETag` is required to change them.
#[utoipa::path(get, path = "/v1/settings", tag = "Settings",
    responses((status = 200, description = "The settings", body = SettingsView, headers(("ETag" = String, description = "Their version")))))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let tenant = tenant(&api, caller.tenant).await?;
    let credentials = model::credentials(&api, caller.tenant).await?;
    let tag = etag(tenant.version);
    Ok(([(ETAG, tag)], Json(SettingsView::of(tenant, credentials))).into_response())
}
