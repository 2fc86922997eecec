//! The immutable history of a profile's versions.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::TimeDelta;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ProfileId, TenantId};

use super::items::{document, number, read, version};
use super::page::{List, Page};
use super::{Store, StoreError, TTL_ATTRIBUTE, now};

/// A version expires after two years; the profile itself does not expire.
const KEPT_DAYS: i64 = 730;

fn prefix(id: ProfileId) -> String {
    format!("version#{id}#")
}

/// Ten digits make the text order equal to the numeric order.
fn key(id: ProfileId, version: u64) -> String {
    format!("{}{version:010}", prefix(id))
}

/// A profile at one version.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileVersion {
    /// Its number; the first is 1.
    pub version: u64,
    /// The profile.
    pub profile: Profile,
}

impl Store {
    /// Returns the write of a version.
    pub(super) fn version_item(
        &self,
        tenant: TenantId,
        profile: &Profile,
        version: u64,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = document(tenant, &key(profile.id, version), profile, version)?;
        let expires = now() + TimeDelta::days(KEPT_DAYS);
        item.insert(TTL_ATTRIBUTE.to_owned(), number(expires.timestamp()));
        self.put(item, None)
    }

    /// Returns one page of a profile's versions, newest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this profile's versions.
    pub async fn version_page(
        &self,
        tenant: TenantId,
        id: ProfileId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ProfileVersion>, StoreError> {
        let prefix = prefix(id);
        let list = List {
            prefix: &prefix,
            backwards: true,
        };
        let page = self.page(tenant, list, after, limit).await?;
        let items = page.items.iter().map(|item| {
            Ok(ProfileVersion {
                version: version(item),
                profile: read(item)?,
            })
        });
        Ok(Page {
            items: items.collect::<Result<_, StoreError>>()?,
            next: page.next,
        })
    }

    /// Returns one version; `None` if it does not exist or has expired.
    pub async fn profile_version(
        &self,
        tenant: TenantId,
        id: ProfileId,
        version: u64,
    ) -> Result<Option<Profile>, StoreError> {
        let item = self.get(tenant, &key(id, version)).await?;
        item.as_ref().map(read).transpose()
    }
}
