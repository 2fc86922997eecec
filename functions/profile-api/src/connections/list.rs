//! `GET /v1/connections`: all connections of the tenant in one model.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::vault::CredentialMark;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::installation::Feature;
use rollcall_domain::connection::{
    Auth, Capability, ConnectionKind, ConnectionStatus, ConsentScope, Ending, Fault,
    MailConnection, Origin,
};
use rollcall_domain::directory_sync::{SourceConnection, SyncState};
use rollcall_runtime::auth::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::CONNECT;
use super::model;
use super::model::DirectoryStatus;
use crate::error::ApiError;
use crate::settings;
use crate::state::{ApiState, now};

/// One connection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    /// The kind of connection.
    kind: ConnectionKind,
    /// The title to display.
    title: String,
    /// The catalog, for the account of a catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<CatalogId>,
    /// The status.
    status: ConnectionStatus,
    /// False if the connection exists by default and cannot be set up (S0-03).
    applicable: bool,
    /// How the directory was connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    /// Since when it has this status; for the directory sync, when it was activated.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<DateTime<Utc>>,
    /// How access is authorized.
    auth: Auth,
    /// The scope of the consent.
    consent: ConsentScope,
    /// How it can be ended.
    ending: Ending,
    /// The permission required to create and end it.
    permission: &'static str,
    /// The capabilities available now.
    capabilities: BTreeSet<Capability>,
    /// The administrator who connected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_by: Option<String>,
    /// The name of the connected account, directory or service.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The current fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// A feature that requires the directory connection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeatureState {
    /// The feature.
    feature: Feature,
    /// The title to display.
    title: &'static str,
    /// True if its pages must offer to connect the directory while it is unavailable (S0-18).
    requires_integration: bool,
    /// True if it can be used.
    available: bool,
}

/// An environment of the tenant; all share the tenant's connection (S0-23, S0-24).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment {
    name: String,
    /// The status of the directory connection.
    status: ConnectionStatus,
}

/// A set-up step.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SetupStep)]
pub(crate) struct Step {
    /// The id: `connect_directory` or `save_settings`.
    id: &'static str,
    /// The instruction to display.
    title: &'static str,
    /// True if it is done.
    done: bool,
}

/// All connections of the tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connections {
    /// The directory, the credentials, the directory sync, then the accounts of catalogs by
    /// title.
    items: Vec<Connection>,
    /// The features that require the directory connection.
    features: Vec<FeatureState>,
    /// The tenant's environments.
    environments: Vec<Environment>,
    /// The set-up steps, in the recommended order (S0-05).
    checklist: Vec<Step>,
    /// The path to post to in order to connect the directory.
    connect: &'static str,
}

impl Connection {
    fn of(kind: ConnectionKind, title: &str, status: ConnectionStatus) -> Self {
        let works = status.is_usable();
        let all = kind.capabilities().iter().copied();
        Self {
            kind,
            title: title.to_owned(),
            catalog: None,
            status,
            applicable: true,
            origin: None,
            since: None,
            auth: kind.auth(),
            consent: kind.consent(),
            ending: kind.ending(),
            permission: kind.permission(),
            capabilities: all.filter(|_| works).collect(),
            connected_by: None,
            account: None,
            fault: None,
        }
    }

    fn directory(directory: &DirectoryStatus, at: DateTime<Utc>) -> Self {
        let title = "Microsoft Entra ID";
        let origin = directory.origin();
        if origin == Some(Origin::Default) {
            let mut it = Self::of(ConnectionKind::Entra, title, ConnectionStatus::Connected);
            it.applicable = false;
            it.origin = origin;
            return it;
        }
        let Some(stored) = directory.connection.as_ref().map(|it| &it.value) else {
            return Self::of(
                ConnectionKind::Entra,
                title,
                ConnectionStatus::NotConfigured,
            );
        };
        let mut it = Self::of(ConnectionKind::Entra, title, stored.shown(at));
        it.origin = origin;
        it.since = Some(stored.since);
        it.connected_by = Some(stored.by.name.clone());
        it.account.clone_from(&stored.directory);
        it.fault.clone_from(&stored.fault);
        it
    }

    fn credential(kind: ConnectionKind, title: &str, mark: &CredentialMark) -> Self {
        let status = if mark.is_set {
            ConnectionStatus::Connected
        } else {
            ConnectionStatus::NotConfigured
        };
        Self::of(kind, title, status)
    }

    /// Returns the connection of the directory sync; it has capabilities only while usable.
    fn sync(found: Option<&SyncState>, at: DateTime<Utc>) -> Self {
        let title = "Directory sync";
        let Some(state) = found else {
            return Self::of(
                ConnectionKind::DirectorySync,
                title,
                ConnectionStatus::NotConfigured,
            );
        };
        let mut it = Self::of(ConnectionKind::DirectorySync, title, state.status(at));
        if state.source == Some(SourceConnection::Consent) {
            it.auth = Auth::AdminConsent;
        }
        it.since = state.activated;
        it.connected_by = Some(state.by.name.clone());
        it.account = Some(state.config.target.clone());
        it
    }

    fn mail(catalog: CatalogId, stored: MailConnection) -> Self {
        let mut it = Self::of(ConnectionKind::Mail, &stored.title, stored.status);
        it.catalog = Some(catalog);
        it.since = Some(stored.since);
        it.capabilities
            .retain(|capability| stored.allows(*capability));
        it.connected_by = stored.by.map(|by| by.name);
        it.account = stored.account.map(|account| account.address);
        it.fault = stored.fault;
        it
    }
}

/// Lists all connections.
///
/// The response also contains the features that require the directory, the tenant's
/// environments and the set-up steps.
#[utoipa::path(get, path = "/v1/connections", tag = "Connections",
    responses((status = 200, description = "All connections", body = Connections)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<Connections>, ApiError> {
    let tenant = caller.tenant;
    let directory = model::directory_status(&api, tenant).await?;
    let credentials = settings::model::credentials(&api, tenant).await?;
    let store = &api.services.store;
    let mut mail = store.mail_connections(tenant).await?;
    mail.sort_by(|(_, a), (_, b)| a.title.cmp(&b.title));
    let settings = store.tenant(tenant).await?;
    let entra = Connection::directory(&directory, now());
    let status = entra.status;
    let mut items = vec![
        entra,
        Connection::credential(
            ConnectionKind::EntraApp,
            "App registration for groups",
            &credentials.client_secret,
        ),
        Connection::credential(
            ConnectionKind::Learn365,
            "Learn365 API key",
            &credentials.lms_key,
        ),
    ];
    let sync = store.sync(tenant).await?;
    items.push(Connection::sync(sync.as_ref().map(|it| &it.value), now()));
    items.extend(mail.into_iter().map(|(id, it)| Connection::mail(id, it)));
    Ok(Json(Connections {
        items,
        features: features(directory.origin().is_some()),
        environments: environments(&directory, status),
        checklist: vec![
            Step {
                id: "connect_directory",
                title: "Connect Microsoft Entra ID",
                done: status == ConnectionStatus::Connected,
            },
            Step {
                id: "save_settings",
                title: "Save the settings and the Learn365 API key",
                done: settings.is_some(),
            },
        ],
        connect: CONNECT,
    }))
}

fn features(available: bool) -> Vec<FeatureState> {
    let all = Feature::ALL.into_iter().map(|feature| FeatureState {
        feature,
        title: feature.title(),
        requires_integration: true,
        available,
    });
    all.collect()
}

fn environments(directory: &DirectoryStatus, status: ConnectionStatus) -> Vec<Environment> {
    let names = directory.installation.environments.iter();
    let all = names.map(|name| Environment {
        name: name.clone(),
        status,
    });
    all.collect()
}
