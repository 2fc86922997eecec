//! Stored connections: directory, mail accounts of catalogs, and how the tenant was installed.

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::installation::Installation;
use rollcall_domain::connection::{EntraConnection, MailConnection};

use super::items::{document, entity, read, string, tenant, unreadable, version};
use super::{Condition, FANOUT_INDEX, Item, Store, StoreError};

const ENTRA: &str = "connection#entra";
const MAIL: &str = "connection#mail#";
const INSTALLATION: &str = "installation";
/// The key of connected mail accounts in the sparse index.
const FANOUT: &str = "mail-connections";
/// The key of consents that are not yet proven in the sparse index.
const AWAITING: &str = "awaiting-proof";

/// A document and its version, for conditional saves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The document.
    pub value: T,
    /// The version that a conditional save expects.
    pub version: u64,
}

pub(super) fn versioned<T: serde::de::DeserializeOwned>(
    item: &Item,
) -> Result<Versioned<T>, StoreError> {
    Ok(Versioned {
        value: read(item)?,
        version: version(item),
    })
}

fn mail_key(catalog: CatalogId) -> String {
    format!("{MAIL}{catalog}")
}

fn catalog(item: &Item) -> Result<CatalogId, StoreError> {
    let entity = entity(item);
    entity
        .strip_prefix(MAIL)
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| unreadable(entity, "its key contains no catalog id"))
}

/// Returns the readable items. An unreadable one is logged and does not affect the others.
pub(super) fn readable<T>(all: impl Iterator<Item = Result<T, StoreError>>) -> Vec<T> {
    let logged = all.inspect(|it| {
        if let Err(error) = it {
            tracing::error!(%error, "a stored item is unreadable");
        }
    });
    logged.filter_map(Result::ok).collect()
}

impl Store {
    /// Returns the connection to the tenant's directory; `None` before the first attempt.
    pub async fn entra_connection(
        &self,
        tenant: TenantId,
    ) -> Result<Option<Versioned<EntraConnection>>, StoreError> {
        let item = self.get(tenant, ENTRA).await?;
        item.as_ref().map(versioned).transpose()
    }

    /// Stores the connection to the directory with its audit events. `expected` is the
    /// version that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another writer was faster.
    pub async fn put_entra_connection(
        &self,
        tenant: TenantId,
        connection: &EntraConnection,
        expected: Option<u64>,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let next = expected.map_or(1, |version| version + 1);
        let mut item = document(tenant, ENTRA, connection, next)?;
        if connection.awaits_proof {
            item.insert("fanout".to_owned(), string(AWAITING));
        }
        self.put_versioned(tenant, item, expected, events).await
    }

    /// Returns the tenants whose consent was given but is not yet proven.
    pub async fn awaiting_proof(&self) -> Result<Vec<TenantId>, StoreError> {
        let items = self.fanned(AWAITING).await?;
        items.iter().map(tenant).collect()
    }

    /// Returns a catalog's connection; `None` if it was never connected.
    pub async fn mail_connection(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Option<Versioned<MailConnection>>, StoreError> {
        let item = self.get(tenant, &mail_key(catalog)).await?;
        item.as_ref().map(versioned).transpose()
    }

    /// Returns the mail connections of all catalogs of a tenant.
    pub async fn mail_connections(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<(CatalogId, MailConnection)>, StoreError> {
        let items = self.list(tenant, MAIL).await?;
        let all = items.iter().map(|item| Ok((catalog(item)?, read(item)?)));
        Ok(readable(all))
    }

    /// Stores a catalog's connection with its audit events and returns the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is not `expected`.
    pub async fn put_mail_connection(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
        expected: Option<u64>,
        events: &[AuditEvent],
    ) -> Result<u64, StoreError> {
        let next = expected.map_or(1, |version| version + 1);
        let mut item = document(tenant, &mail_key(catalog), connection, next)?;
        if connection.wants_care() {
            item.insert("fanout".to_owned(), string(FANOUT));
        }
        self.put_versioned(tenant, item, expected, events).await?;
        Ok(next)
    }

    /// Returns every catalog of every tenant with a connected account.
    pub async fn connected_catalogs(
        &self,
    ) -> Result<Vec<(TenantId, CatalogId, MailConnection)>, StoreError> {
        let items = self.fanned(FANOUT).await?;
        let all = items
            .iter()
            .map(|item| Ok((tenant(item)?, catalog(item)?, read(item)?)));
        Ok(readable(all))
    }

    /// Returns how the tenant was installed; the default if no operator entered it.
    pub async fn installation(&self, tenant: TenantId) -> Result<Installation, StoreError> {
        let item = self.get(tenant, INSTALLATION).await?;
        Ok(item.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// Stores how the tenant was installed; the last write wins.
    pub async fn put_installation(
        &self,
        tenant: TenantId,
        installation: &Installation,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let item = document(tenant, INSTALLATION, installation, 1)?;
        let items = vec![self.put(item, None)?, self.event(tenant, event)?];
        self.write(None, items).await
    }

    async fn put_versioned(
        &self,
        tenant: TenantId,
        item: Item,
        expected: Option<u64>,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let mut items = vec![self.put(item, Some(Condition::version(expected)))?];
        for event in events {
            items.push(self.event(tenant, event)?);
        }
        self.write(None, items).await
    }

    /// Returns every item that the sparse index lists under this key.
    pub(super) async fn fanned(&self, key: &str) -> Result<Vec<Item>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(FANOUT_INDEX)
            .key_condition_expression("fanout = :key")
            .expression_attribute_values(":key", string(key))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(item?);
        }
        Ok(found)
    }
}
