//! Owners and Super admins who have used the API: whom to mail (S2-48) and whom to choose from (S3-26).
//!
//! Entra does not tell an app who has its roles without a wide permission, but
//! every token does. Who has not come for a year is forgotten.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::base::ids::{ObjectId, TenantId};
use serde::{Deserialize, Serialize};

use super::connections::readable;
use super::items::{document, entity, number, read, unreadable};
use super::{Store, StoreError, TTL_ATTRIBUTE};

const ADMIN: &str = "admin#";
/// An administrator who does not come is forgotten after this many days.
const KEPT_DAYS: i64 = 400;

/// Somebody who has used the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenAdmin {
    /// The sign-in name, which is a mail address as a rule.
    pub name: String,
    /// What people call them.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The roles of their last token.
    pub roles: BTreeSet<String>,
    /// When it was seen.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Notes somebody; the last note counts.
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

    /// Somebody, if they were seen.
    pub async fn admin(
        &self,
        tenant: TenantId,
        id: ObjectId,
    ) -> Result<Option<SeenAdmin>, StoreError> {
        let item = self.get(tenant, &format!("{ADMIN}{id}")).await?;
        item.as_ref().map(read).transpose()
    }

    /// Everybody who was seen.
    pub async fn admins(&self, tenant: TenantId) -> Result<Vec<(ObjectId, SeenAdmin)>, StoreError> {
        let items = self.list(tenant, ADMIN).await?;
        let all = items.iter().map(|item| {
            let key = entity(item);
            let id = key.strip_prefix(ADMIN).and_then(|id| id.parse().ok());
            let id = id.ok_or_else(|| unreadable(key, "its key names nobody"))?;
            Ok((id, read(item)?))
        });
        Ok(readable(all))
    }
}
