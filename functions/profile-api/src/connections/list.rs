//! `GET /v1/connections`: every connection of the tenant in one model.

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
    /// Which kind.
    kind: ConnectionKind,
    /// What people call it.
    title: String,
    /// The catalog it is for, of a catalog's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<CatalogId>,
    /// How it stands.
    status: ConnectionStatus,
    /// Whether it is set up here at all; one that stands by itself is not (S0-03).
    applicable: bool,
    /// How it came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    /// Since when it stands like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<DateTime<Utc>>,
    /// How it is authorised.
    auth: Auth,
    /// For whom its consent counts.
    consent: ConsentScope,
    /// How it can be ended.
    ending: Ending,
    /// The permission that making and ending it takes.
    permission: &'static str,
    /// What it can do now.
    capabilities: BTreeSet<Capability>,
    /// Who connected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_by: Option<String>,
    /// The account or directory, by the name people know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// A feature that needs the directory connected.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeatureState {
    /// Which.
    feature: Feature,
    /// What people call it.
    title: &'static str,
    /// Pages of it show how to connect while it is not available (S0-18).
    requires_integration: bool,
    /// Whether it can be used.
    available: bool,
}

/// An environment of the tenant; all share its connection (S0-23, S0-24).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment {
    name: String,
    /// How the directory's connection stands for it.
    status: ConnectionStatus,
}

/// Something to do before the service can be used fully.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SetupStep)]
pub(crate) struct Step {
    /// Which: `connect_directory` or `save_settings`.
    id: &'static str,
    /// What to do.
    title: &'static str,
    /// Whether it is done.
    done: bool,
}

/// All connections of the tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connections {
    /// The directory first, then credentials, then catalogs by title.
    items: Vec<Connection>,
    /// What needs the directory.
    features: Vec<FeatureState>,
    /// The tenant's environments.
    environments: Vec<Environment>,
    /// Setting up, in the recommended order (S0-05).
    checklist: Vec<Step>,
    /// Where the directory is connected: post here.
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

    /// Its capabilities stay out of it while it rests.
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

/// Every connection with its state, what it can do, and what is wrong with it;
/// features that need the directory; environments; the order of setting up.
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
