//! Every version a profile ever had, immutable.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::TimeDelta;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ProfileId, TenantId};

use super::items::{document, number, read, version};
use super::page::{List, Page};
use super::{Store, StoreError, TTL_ATTRIBUTE, now};

/// A version is kept two years; the profile itself as long as it exists.
const KEPT_DAYS: i64 = 730;

fn prefix(id: ProfileId) -> String {
    format!("version#{id}#")
}

/// Ten digits sort as numbers do.
fn key(id: ProfileId, version: u64) -> String {
    format!("{}{version:010}", prefix(id))
}

/// A profile as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileVersion {
    /// Its number; the first is 1.
    pub version: u64,
    /// The profile.
    pub profile: Profile,
}

impl Store {
    /// The write of a version.
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

    /// One page of a profile's versions, newest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] when `after` is no key of this profile's versions.
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

    /// One version; `None` when there is none of this number (any more).
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
