//! Stored profiles: versioned documents, written by administrators or under the job's lease.

use rollcall_domain::audience::lifecycle;
use rollcall_domain::audience::profile::{Profile, parse_profile};
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{ProfileId, TenantId};

use super::items::{document, entity, item, number, text, unreadable, version};
use super::transaction::{ConditionFailure, Transaction};
use super::{Attempts, Condition, Fence, Item, Store, StoreError, now};

const PREFIX: &str = "profile#";
/// The item that counts saves of profiles that refer to other profiles.
const LINKS: &str = "links";

/// A profile and its version, or the reason why the document is invalid. An unreadable
/// profile must not affect the others.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProfile {
    /// The id in its key, which need not be a GUID in a damaged item.
    pub key: String,
    /// The profile, or why it cannot be read.
    pub profile: Result<Profile, String>,
    /// The version that a conditional save expects.
    pub version: u64,
}

fn key(id: ProfileId) -> String {
    format!("{PREFIX}{id}")
}

/// Reads an item and checks that the document has the id of its key.
fn stored(item: &Item) -> StoredProfile {
    let key = entity(item).trim_start_matches(PREFIX).to_owned();
    let profile = text(item, "doc")
        .ok_or_else(|| "the item has no document".to_owned())
        .and_then(|document| parse_profile(document).map_err(|problem| problem.detail))
        .and_then(|profile| {
            if profile.id.to_string() == key {
                Ok(profile)
            } else {
                Err(format!(
                    "the document has the id of the profile {}",
                    profile.id
                ))
            }
        });
    StoredProfile {
        key,
        profile,
        version: version(item),
    }
}

impl Store {
    /// Returns all profiles, including deleted ones.
    pub async fn profiles(&self, tenant: TenantId) -> Result<Vec<StoredProfile>, StoreError> {
        let items = self.list(tenant, PREFIX).await?;
        Ok(items.iter().map(stored).collect())
    }

    /// Returns one profile, whether or not it is deleted.
    pub async fn profile(
        &self,
        tenant: TenantId,
        id: ProfileId,
    ) -> Result<Option<StoredProfile>, StoreError> {
        Ok(self.get(tenant, &key(id)).await?.as_ref().map(stored))
    }

    /// Returns these profiles, in any order; missing ones are left out.
    pub async fn profiles_of(
        &self,
        tenant: TenantId,
        ids: impl IntoIterator<Item = ProfileId>,
    ) -> Result<Vec<StoredProfile>, StoreError> {
        let items = self.batch(tenant, ids.into_iter().map(key)).await?;
        Ok(items.iter().map(stored).collect())
    }

    /// Saves an administrator's change, unless maintenance holds the lock (S4-110).
    /// `expected` is the version that was read, `None` for a new profile.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if maintenance holds the lock, [`StoreError::Conflict`] if the
    /// stored version is not `expected`, [`StoreError::TitleTaken`] if another profile has
    /// the title.
    pub async fn save_profile(
        &self,
        tenant: TenantId,
        profile: &Profile,
        expected: Option<u64>,
    ) -> Result<(), StoreError> {
        self.save_audited_profile(tenant, profile, expected, None, None)
            .await
    }

    /// Saves a profile with its audit event. An approval of a held change of the profile becomes
    /// void, because the change was approved for the profile as it was (F-10). If the profile refers to others, `links` is the
    /// result of [`Store::links`] from before they were checked.
    ///
    /// # Errors
    /// Those of [`Store::save_profile`]; [`StoreError::Contended`] if another profile with
    /// references was saved in between, because both together might form a cycle (S4-088f).
    pub async fn save_audited_profile(
        &self,
        tenant: TenantId,
        profile: &Profile,
        expected: Option<u64>,
        event: Option<&AuditEvent>,
        links: Option<u64>,
    ) -> Result<(), StoreError> {
        let before = self.profile(tenant, profile.id).await?;
        let mut writes = self.unless_locked(tenant)?;
        if let Some(links) = links {
            let mut item = item(tenant, LINKS);
            item.insert("version".to_owned(), number(links + 1));
            let condition = Condition::version((links > 0).then_some(links));
            writes.add(
                self.put(item, Some(condition))?,
                ConditionFailure::Contended,
            );
        }
        self.replace(&mut writes, tenant, (before.as_ref(), expected), profile)?;
        if expected.is_some() {
            self.void_approval(&mut writes, tenant, profile.id).await?;
        }
        if let Some(event) = event {
            writes.also(self.event(tenant, event)?);
        }
        self.commit(writes).await
    }

    /// Returns how many times profiles that refer to other profiles were saved.
    pub async fn links(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let item = self.get(tenant, LINKS).await?;
        Ok(item.as_ref().map(version).unwrap_or_default())
    }

    /// Adds the writes of a new version: the profile, its list entries, its history. If the
    /// stored profile has changed since it was read, the version condition fails and nothing
    /// is written.
    fn replace(
        &self,
        writes: &mut Transaction,
        tenant: TenantId,
        (before, expected): (Option<&StoredProfile>, Option<u64>),
        profile: &Profile,
    ) -> Result<(), StoreError> {
        let next = expected.map_or(1, |version| version + 1);
        let item = document(tenant, &key(profile.id), profile, next)?;
        writes.add(
            self.put(item, Some(Condition::version(expected)))?,
            ConditionFailure::Conflict,
        );
        // The old entries belong to the replaced version; with another version the save is
        // rejected.
        let old = before.filter(|stored| Some(stored.version) == expected);
        let old = old.and_then(|stored| stored.profile.as_ref().ok());
        self.update_indexes(writes, tenant, old, (profile, next))?;
        writes.also(self.version_item(tenant, profile, next)?);
        Ok(())
    }

    /// Marks a profile deleted. Deletion is accepted at any time, even during maintenance;
    /// the next run applies it (S4-114, S4-135).
    ///
    /// # Errors
    /// Those of [`Store::delete_profile_as`].
    pub async fn delete_profile(
        &self,
        tenant: TenantId,
        id: ProfileId,
        by: &str,
    ) -> Result<(), StoreError> {
        let by = Actor::named(by);
        self.delete_profile_as(tenant, id, &by, None).await
    }

    /// Marks a profile deleted by an actor; `expected` makes it conditional on the version
    /// that they read. Repeating the call has no effect and is not an error.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the profile does not exist, [`StoreError::Conflict`] if its
    /// version is not `expected` or every retry conflicted with another save.
    pub async fn delete_profile_as(
        &self,
        tenant: TenantId,
        id: ProfileId,
        by: &Actor,
        expected: Option<u64>,
    ) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let stored = self.profile(tenant, id).await?.ok_or(StoreError::Missing)?;
            if expected.is_some_and(|expected| expected != stored.version) {
                return Err(StoreError::Conflict);
            }
            let profile = stored
                .profile
                .clone()
                .map_err(|problem| unreadable(&key(id), problem))?;
            if profile.is_deleted() {
                return Ok(());
            }
            let at = now();
            let event = AuditEvent::new(at, by.clone(), Action::ProfileDeleted);
            let event = event.on(id, &profile.title);
            let deleted = lifecycle::delete(profile, at, &by.name);
            let mut writes = Transaction::default();
            let version = Some(stored.version);
            self.replace(&mut writes, tenant, (Some(&stored), version), &deleted)?;
            writes.also(self.event(tenant, &event)?);
            match self.commit(writes).await {
                Err(StoreError::Conflict) if attempts.remain() => {}
                other => return other,
            }
        }
    }

    /// Saves a change of the job under its lease; returns the new version.
    pub async fn save_profile_under_lease(
        &self,
        fence: &Fence,
        profile: &Profile,
        expected: u64,
    ) -> Result<u64, StoreError> {
        let before = self.profile(fence.tenant, profile.id).await?;
        let mut writes = Transaction::default();
        let lease = self.check(fence.tenant, &fence.entity(), fence.condition())?;
        writes.add(lease, ConditionFailure::LeaseLost);
        let versions = (before.as_ref(), Some(expected));
        self.replace(&mut writes, fence.tenant, versions, profile)?;
        self.commit(writes).await?;
        Ok(expected + 1)
    }

    /// Stores a document unchecked, for tests of damaged ones.
    #[cfg(feature = "testing")]
    pub async fn put_raw_profile(
        &self,
        tenant: TenantId,
        id: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut item = item(tenant, format!("{PREFIX}{id}"));
        item.insert("doc".to_owned(), super::items::string(text));
        item.insert("version".to_owned(), number(1));
        self.write(None, vec![self.put(item, None)?]).await
    }
}
