//! Owners and Super admins who used the API: recipients of e-mails (S2-48) and choices (S3-26).
//!
//! Entra lists the holders of an app's roles only to apps with a broad permission, but every
//! token contains the roles of its user. An entry expires after `KEPT_DAYS` without a
//! request.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::base::ids::{ObjectId, TenantId};
use serde::{Deserialize, Serialize};

use super::connections::readable;
use super::items::{document, entity, number, read, unreadable};
use super::{Store, StoreError, TTL_ATTRIBUTE};

const ADMIN: &str = "admin#";
/// Days after its last request when the entry of an administrator expires.
const KEPT_DAYS: i64 = 400;

/// An administrator who has used the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenAdmin {
    /// The sign-in name, usually a mail address.
    pub name: String,
    /// The display name, if the token contained one.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The roles of the last token.
    pub roles: BTreeSet<String>,
    /// The time at which the last token was received.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Stores an administrator; the last write wins.
    pub async fn note_admin(
        &self,
        tenant: TenantId,
        id: ObjectId,
        admin: &SeenAdmin,
    ) -> Result<(), StoreError> {
        let mut item = document(tenant, &format!("{ADMIN}{id}"), admin, 1)?;
        let until = admin.at + TimeDelta::days(KEPT_DAYS);
        item.insert(TTL_ATTRIBUTE.to_owned(), number(until.timestamp()));
        self.write(None, vec![self.put(item, None)?]).await
    }

    /// Returns an administrator, or `None` if they have not used the API.
    pub async fn admin(
        &self,
        tenant: TenantId,
        id: ObjectId,
    ) -> Result<Option<SeenAdmin>, StoreError> {
        let item = self.get(tenant, &format!("{ADMIN}{id}")).await?;
        item.as_ref().map(read).transpose()
    }

    /// Returns all administrators who have used the API.
    pub async fn admins(&self, tenant: TenantId) -> Result<Vec<(ObjectId, SeenAdmin)>, StoreError> {
        let items = self.list(tenant, ADMIN).await?;
        let all = items.iter().map(|item| {
            let key = entity(item);
            let id = key.strip_prefix(ADMIN).and_then(|id| id.parse().ok());
            let id = id.ok_or_else(|| unreadable(key, "its key contains no user id"))?;
            Ok((id, read(item)?))
        });
        Ok(readable(all))
    }
}
