//! `GET /v1/settings`: what was saved; of credentials only whether they are set (S4-023).

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::{CredentialMark, StoredCredentials};
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::ids::CatalogId;
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
    /// Their version; the header `ETag` has it, too.
    version: u64,
    /// How far the tenant is.
    onboarding: Onboarding,
    /// Whom to tell.
    contact: String,
    /// Others who get the same mails.
    also_notify: BTreeSet<String>,
    /// Put before every group's name.
    group_prefix: String,
    /// The tenant's name.
    display_name: String,
    /// The address of the Learn365 region; empty for the deployment's.
    lms_url: String,
    /// Entra user properties that rules may use.
    entra_properties: BTreeSet<String>,
    /// Which catalogs each catalog admin, by Entra object id, may choose courses of.
    catalog_admins: BTreeMap<String, BTreeSet<CatalogId>>,
    /// The Learn365 API key.
    learn365_api_key: CredentialMarkView,
    /// The app registration in Entra ID.
    entra_app: EntraApp,
    /// What people should read after saving (S4-102).
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    /// What a test of the connection found, when saving made one.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionTest>,
}

/// Whether a credential is set.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialMarkView {
    /// Whether it is.
    is_set: bool,
    /// Its last characters, of a long one, to recognise it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<String>,
}

/// The app registration.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntraApp {
    /// The application (client) id.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// The secret.
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
    /// What people may see.
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
            learn365_api_key: credentials.lms_key.into(),
            entra_app: EntraApp {
                client_id: credentials.client_id,
                client_secret: credentials.client_secret.into(),
            },
            notice: None,
            connection: None,
        }
    }

    /// The same after a save.
    pub(crate) fn saved(mut self, notice: String, connection: Option<ConnectionTest>) -> Self {
        self.notice = Some(notice);
        self.connection = connection;
        self
    }
}

/// The settings; their `ETag` is needed to change them.
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
