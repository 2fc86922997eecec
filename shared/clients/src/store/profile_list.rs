//! The list of profiles: one entry each by title and by last change, so a page costs one
//! query.
//!
//! The entry under a title is also the claim on it: a title belongs to one active profile at
//! a time (S4-054). Deleting a profile releases its title.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use rollcall_domain::audience::fingerprint::fingerprint;
use rollcall_domain::audience::profile::{Lifecycle, Profile};
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::base::text::fold;
use serde::{Deserialize, Serialize};

use super::items::{document, read, string};
use super::page::{List, Page};
use super::transaction::{ConditionFailure, Transaction};
use super::{Condition, Store, StoreError};

/// The attribute with the id of the profile that owns the entry.
const OWNER: &str = "profile";

/// The list entry of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileLine {
    /// Its id.
    pub id: ProfileId,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// True if the group is enrolled.
    pub enroll: bool,
    /// True if membership follows the rules.
    pub auto_populate: bool,
    /// The number of selected courses.
    pub courses: usize,
    /// The time of an administrator's last change.
    pub modified_at: DateTime<Utc>,
    /// The name of that administrator.
    pub modified_by: String,
    /// The time of its deletion, if it is deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Its version.
    pub version: u64,
}

/// The profiles of a list and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileIndex {
    /// Active profiles, by title regardless of case.
    ByTitle,
    /// Active profiles, by their last change.
    ByChange,
    /// Deleted profiles, by their deletion.
    Deleted,
}

impl ProfileIndex {
    const fn prefix(self) -> &'static str {
        match self {
            Self::ByTitle => "title#",
            Self::ByChange => "changed#",
            Self::Deleted => "deleted#",
        }
    }
}

/// Returns milliseconds with enough digits to sort as text until the year 5138.
fn moment(at: DateTime<Utc>) -> String {
    format!("{:014}", at.timestamp_millis().max(0))
}

/// Returns the keys of a profile's entries; the first one of an active profile claims its
/// title.
fn keys(profile: &Profile) -> Vec<String> {
    match &profile.lifecycle {
        Lifecycle::Active => {
            let changed = format!(
                "{}{}#{}",
                ProfileIndex::ByChange.prefix(),
                moment(profile.modified_at),
                profile.id
            );
            let meaning = fingerprint(profile)
                .map(|mark| format!("{}{}", duplicate_titles(&mark), profile.id));
            let others = [changed].into_iter().chain(meaning);
            [claim(&profile.title)].into_iter().chain(others).collect()
        }
        Lifecycle::Deleted { at, .. } => vec![format!(
            "{}{}#{}",
            ProfileIndex::Deleted.prefix(),
            moment(*at),
            profile.id
        )],
    }
}

/// Returns the key prefix of profiles with the same audience.
fn duplicate_titles(fingerprint: &str) -> String {
    format!("audience#{fingerprint}#")
}

fn claim(title: &str) -> String {
    format!(
        "{}{}",
        ProfileIndex::ByTitle.prefix(),
        fold(title).unwrap_or_default()
    )
}

fn line(profile: &Profile, version: u64) -> ProfileLine {
    ProfileLine {
        id: profile.id,
        title: profile.title.clone(),
        description: profile.description.clone(),
        enroll: profile.enroll,
        auto_populate: profile.auto_populate,
        courses: profile.courses.len(),
        modified_at: profile.modified_at,
        modified_by: profile.modified_by.clone(),
        deleted_at: match &profile.lifecycle {
            Lifecycle::Deleted { at, .. } => Some(*at),
            Lifecycle::Active => None,
        },
        version,
    }
}

impl Store {
    /// Adds the writes that update the list entries when a profile changes.
    pub(super) fn update_indexes(
        &self,
        writes: &mut Transaction,
        tenant: TenantId,
        before: Option<&Profile>,
        after: (&Profile, u64),
    ) -> Result<(), StoreError> {
        let (profile, version) = after;
        let now = keys(profile);
        for key in before.map(keys).unwrap_or_default() {
            if !now.contains(&key) {
                writes.also(self.delete(tenant, &key)?);
            }
        }
        let line = line(profile, version);
        for key in now {
            let condition = key
                .starts_with(ProfileIndex::ByTitle.prefix())
                .then(|| unclaimed(profile.id));
            writes.add(
                self.line_item(tenant, &key, &line, condition)?,
                ConditionFailure::TitleTaken,
            );
        }
        Ok(())
    }

    fn line_item(
        &self,
        tenant: TenantId,
        key: &str,
        line: &ProfileLine,
        condition: Option<Condition>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = document(tenant, key, line, line.version)?;
        item.insert(OWNER.to_owned(), string(line.id));
        self.put(item, condition)
    }

    /// Returns one page of a list, `backwards` from its end.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this list.
    pub async fn profile_page(
        &self,
        tenant: TenantId,
        index: ProfileIndex,
        backwards: bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(String, ProfileLine)>, StoreError> {
        let list = List {
            prefix: index.prefix(),
            backwards,
        };
        let page = self.page(tenant, list, after, limit).await?;
        let lines = page.items.iter().map(|item| {
            let key = super::items::entity(item).to_owned();
            read(item).map(|line| (key, line))
        });
        Ok(Page {
            items: lines.collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// Returns at most ten other active profiles whose rules and overrides are equivalent to
    /// this one's.
    pub async fn duplicate_titles(
        &self,
        tenant: TenantId,
        profile: &Profile,
    ) -> Result<Vec<ProfileLine>, StoreError> {
        let Some(mark) = fingerprint(profile) else {
            return Ok(Vec::new());
        };
        let prefix = duplicate_titles(&mark);
        let list = List {
            prefix: &prefix,
            backwards: false,
        };
        let page = self.page(tenant, list, None, 11).await?;
        let lines: Result<Vec<ProfileLine>, _> = page.items.iter().map(read).collect();
        let mut lines = lines?;
        lines.retain(|line| line.id != profile.id);
        lines.truncate(10);
        Ok(lines)
    }

    /// Stores the entries of many profiles at once, for tests of long lists.
    #[cfg(feature = "testing")]
    pub async fn put_lines(
        &self,
        tenant: TenantId,
        profiles: &[Profile],
    ) -> Result<(), StoreError> {
        let lines = profiles
            .iter()
            .map(|profile| (keys(profile), line(profile, 1)));
        let mut requests = Vec::new();
        for (keys, line) in lines {
            for key in keys {
                let mut item = document(tenant, &key, &line, 1)?;
                item.insert(OWNER.to_owned(), string(line.id));
                let put = aws_sdk_dynamodb::types::PutRequest::builder().set_item(Some(item));
                let put = put.build()?;
                requests.push(
                    aws_sdk_dynamodb::types::WriteRequest::builder()
                        .put_request(put)
                        .build(),
                );
            }
        }
        for chunk in requests.chunks(25) {
            let write = self.client.batch_write_item();
            write
                .request_items(&self.table, chunk.to_vec())
                .send()
                .await?;
        }
        Ok(())
    }

    /// Returns the active profile that has a title, if any.
    pub async fn title_owner(
        &self,
        tenant: TenantId,
        title: &str,
    ) -> Result<Option<ProfileLine>, StoreError> {
        let item = self.get(tenant, &claim(title)).await?;
        item.as_ref().map(read).transpose()
    }
}

/// Returns the condition that the title is free or already belongs to this profile.
fn unclaimed(id: ProfileId) -> Condition {
    Condition {
        expression: "attribute_not_exists(#owner) OR #owner = :owner".to_owned(),
        names: Some(HashMap::from([("#owner".to_owned(), OWNER.to_owned())])),
        values: Some(HashMap::from([(":owner".to_owned(), string(id))])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::audience::lifecycle;
    use rollcall_domain::testing;

    /// Proves S4-054: titles are compared regardless of case and blanks around them.
    #[test]
    fn equal_titles_have_one_key() {
        assert_eq!(claim(" Straße "), claim("STRASSE"));
        assert_ne!(claim("Field staff"), claim("Field  staff"));
    }

    /// The longest title fits in a sort key, whatever its letters fold to.
    #[test]
    fn the_longest_title_fits_a_key() {
        for letter in ['ΐ', '𐐀', 'ﬃ', 'ẞ'] {
            let title: String = std::iter::repeat_n(letter, 120).collect();
            assert!(claim(&title).len() <= 1_024, "{letter}");
        }
    }

    #[test]
    fn a_deleted_profile_gives_its_title_up() {
        let profile = testing::profile("Field staff");
        assert!(keys(&profile).contains(&claim("field staff")));
        let deleted = lifecycle::delete(profile, testing::slot(), "ada@contoso.example");
        assert!(!keys(&deleted).contains(&claim("field staff")));
        assert!(line(&deleted, 2).deleted_at.is_some());
    }
}
