//! Profiles as stored: documents with versions, written by people or under the lock.

use rollcall_domain::ids::{ProfileId, TenantId};
use rollcall_domain::lifecycle;
use rollcall_domain::profile::{Profile, read};

use super::items::{document, entity, text, version};
use super::{Condition, Fence, MAINTENANCE_LEASE, Store, StoreError, now};

const PREFIX: &str = "profile#";

/// A profile and its version; or what is wrong with the document. One that
/// cannot be read must not stop the others.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProfile {
    /// Its id as the key says, which need not be a GUID in a damaged item.
    pub key: String,
    /// The profile, or why it cannot be read.
    pub profile: Result<Profile, String>,
    /// Its version, for conditional saves.
    pub version: u64,
}

fn key(id: ProfileId) -> String {
    format!("{PREFIX}{id}")
}

impl Store {
    /// All profiles, deleted ones too.
    pub async fn profiles(&self, tenant: TenantId) -> Result<Vec<StoredProfile>, StoreError> {
        let items = self.list(tenant, PREFIX).await?;
        Ok(items
            .iter()
            .map(|item| {
                let key = entity(item).trim_start_matches(PREFIX).to_owned();
                let profile = text(item, "doc")
                    .ok_or_else(|| "the item has no document".to_owned())
                    .and_then(|document| read(document).map_err(|problem| problem.detail))
                    .and_then(|profile| {
                        if profile.id.to_string() == key {
                            Ok(profile)
                        } else {
                            Err(format!(
                                "the document says it is the profile {}",
                                profile.id
                            ))
                        }
                    });
                StoredProfile {
                    key,
                    profile,
                    version: version(item),
                }
            })
            .collect())
    }

    /// Saves what a person changed, unless maintenance holds the lock (S4-110).
    pub async fn save_profile(
        &self,
        tenant: TenantId,
        profile: &Profile,
        expected: Option<u64>,
    ) -> Result<(), StoreError> {
        let next = expected.map_or(1, |version| version + 1);
        let item = document(tenant, &key(profile.id), profile, next)?;
        let items = vec![
            self.unlocked(tenant)?,
            self.put(item, Some(Condition::version(expected)))?,
        ];
        match self.write(None, items).await {
            Err(StoreError::Conflict)
                if self.held_until(tenant, MAINTENANCE_LEASE).await?.is_some() =>
            {
                Err(StoreError::Locked)
            }
            other => other,
        }
    }

    /// Marks a profile deleted. Deletion is accepted at any time, even while
    /// maintenance works; the next cycle carries it out (S4-114, S4-135).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is no such profile, or it is edited
    /// again and again at the same moment.
    pub async fn delete_profile(
        &self,
        tenant: TenantId,
        id: ProfileId,
        by: &str,
    ) -> Result<(), StoreError> {
        for _ in 0..5 {
            let item = self
                .get(tenant, &key(id))
                .await?
                .ok_or(StoreError::Conflict)?;
            let before = version(&item);
            let deleted = lifecycle::delete(super::items::read(&item)?, now(), by);
            let item = document(tenant, &key(id), &deleted, before + 1)?;
            let put = self.put(item, Some(Condition::version(Some(before))))?;
            match self.write(None, vec![put]).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Saves what the job changed, under its lease; answers the new version.
    pub async fn update_profile(
        &self,
        fence: &Fence,
        profile: &Profile,
        expected: u64,
    ) -> Result<u64, StoreError> {
        let item = document(fence.tenant, &key(profile.id), profile, expected + 1)?;
        let put = self.put(item, Some(Condition::version(Some(expected))))?;
        self.write(Some(fence), vec![put]).await?;
        Ok(expected + 1)
    }

    /// Puts a document as it is, for tests of damaged ones.
    #[cfg(feature = "testing")]
    pub async fn put_raw_profile(
        &self,
        tenant: TenantId,
        id: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut item = super::items::item(tenant, format!("{PREFIX}{id}"));
        item.insert("doc".to_owned(), super::items::string(text));
        item.insert("version".to_owned(), super::items::number(1));
        self.write(None, vec![self.put(item, None)?]).await
    }
}
