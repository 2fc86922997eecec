//! Profiles as stored: documents with versions, written by people or under the lock.

use rollcall_domain::audience::lifecycle;
use rollcall_domain::audience::profile::{Profile, parse_profile};
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{ProfileId, TenantId};

use super::items::{document, entity, item, number, text, unreadable, version};
use super::transaction::{ConditionFailure, Transaction};
use super::{Condition, Fence, Item, Store, StoreError, now};

const PREFIX: &str = "profile#";
/// The item that counts saves of profiles which name other profiles.
const LINKS: &str = "links";

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

/// Reads an item as what its key says it is.
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
}

impl Store {
    /// All profiles, deleted ones too.
    pub async fn profiles(&self, tenant: TenantId) -> Result<Vec<StoredProfile>, StoreError> {
        let items = self.list(tenant, PREFIX).await?;
        Ok(items.iter().map(stored).collect())
    }

    /// One profile, deleted or not.
    pub async fn profile(
        &self,
        tenant: TenantId,
        id: ProfileId,
    ) -> Result<Option<StoredProfile>, StoreError> {
        Ok(self.get(tenant, &key(id)).await?.as_ref().map(stored))
    }

    /// These profiles, in any order; those that are not there are left out.
    pub async fn profiles_of(
        &self,
        tenant: TenantId,
        ids: impl IntoIterator<Item = ProfileId>,
    ) -> Result<Vec<StoredProfile>, StoreError> {
        let items = self.batch(tenant, ids.into_iter().map(key)).await?;
        Ok(items.iter().map(stored).collect())
    }

    /// Saves what a person changed, unless maintenance holds the lock (S4-110).
    /// `expected` is the version that was read, `None` for a new profile.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Conflict`] when the profile is of
    /// another version by now, [`StoreError::TitleTaken`].
    pub async fn save_profile(
        &self,
        tenant: TenantId,
        profile: &Profile,
        expected: Option<u64>,
    ) -> Result<(), StoreError> {
        self.change_profile(tenant, profile, expected, None, None)
            .await
    }

    /// The same with the event that tells about it, and with `links`, when the
    /// profile names others: what [`Store::links`] was before they were looked at.
    ///
    /// # Errors
    /// Those of [`Store::save_profile`]; [`StoreError::Contended`] when somebody
    /// has saved a profile that names others in between: both together might
    /// lead in a circle (S4-088f).
    pub async fn change_profile(
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
        if let Some(event) = event {
            writes.also(self.event(tenant, event)?);
        }
        self.commit(writes).await
    }

    /// How often profiles that name other profiles were saved.
    pub async fn links(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let item = self.get(tenant, LINKS).await?;
        Ok(item.as_ref().map(version).unwrap_or_default())
    }

    /// Adds the writes of a new version: the profile, its lines, its history.
    /// What stands in the table may have changed since it was read; then the
    /// version does not fit, and nothing is written.
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
        // Lines follow the version that is replaced; another one would be refused.
        let old = before.filter(|stored| Some(stored.version) == expected);
        let old = old.and_then(|stored| stored.profile.as_ref().ok());
        self.update_indexes(writes, tenant, old, (profile, next))?;
        writes.also(self.keep_version(tenant, profile, next)?);
        Ok(())
    }

    /// Marks a profile deleted. Deletion is accepted at any time, even while
    /// maintenance works; the next cycle carries it out (S4-114, S4-135).
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

    /// The same by a known person; `expected` makes it conditional on the
    /// version they saw. Deleting twice is no error and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such profile,
    /// [`StoreError::Conflict`] when its version is another one, or it is
    /// edited again and again at the same moment.
    pub async fn delete_profile_as(
        &self,
        tenant: TenantId,
        id: ProfileId,
        by: &Actor,
        expected: Option<u64>,
    ) -> Result<(), StoreError> {
        for _ in 0..5 {
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
        let before = self.profile(fence.tenant, profile.id).await?;
        let mut writes = Transaction::default();
        let lease = self.check(fence.tenant, &fence.entity(), fence.condition())?;
        writes.add(lease, ConditionFailure::LeaseLost);
        let place = (before.as_ref(), Some(expected));
        self.replace(&mut writes, fence.tenant, place, profile)?;
        self.commit(writes).await?;
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
        let mut item = item(tenant, format!("{PREFIX}{id}"));
        item.insert("doc".to_owned(), super::items::string(text));
        item.insert("version".to_owned(), number(1));
        self.write(None, vec![self.put(item, None)?]).await
    }
}
