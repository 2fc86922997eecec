//! Reads all users and groups, or those changed since a time; returns a complete list or an error.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_domain::directory_sync::{PlatformTeam, PlatformUser};
use serde::de::DeserializeOwned;

use super::wire::{Meta, Page, WireGroup, WireUser};
use super::{Scim, ServiceCapabilities};
use crate::http::ApiError;

/// The resources read, and the latest modification time among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The resources by the service's id.
    pub all: BTreeMap<String, T>,
    /// The latest `meta.lastModified`; `None` if the service does not return it.
    pub newest: Option<DateTime<Utc>>,
}

/// Path of the users.
pub(super) const USERS: &str = "/Users";
/// Path of the groups.
pub(super) const GROUPS: &str = "/Groups";

trait Row: DeserializeOwned {
    type Known;
    const PATH: &'static str;
    fn split(self) -> (String, Meta, Self::Known);
}

impl Row for WireUser {
    type Known = PlatformUser;
    const PATH: &'static str = USERS;

    fn split(mut self) -> (String, Meta, PlatformUser) {
        (
            std::mem::take(&mut self.id),
            std::mem::take(&mut self.meta),
            self.into_user(),
        )
    }
}

impl Row for WireGroup {
    type Known = PlatformTeam;
    const PATH: &'static str = GROUPS;

    fn split(mut self) -> (String, Meta, PlatformTeam) {
        (
            std::mem::take(&mut self.id),
            std::mem::take(&mut self.meta),
            self.into_team(),
        )
    }
}

/// Maximum number of resources of a kind, above the size of the largest directories.
const MOST: u64 = 2_000_000;
/// Maximum resources on a page, for services that ignore the requested count.
const MOST_ON_A_PAGE: u64 = 50_000;
/// Maximum length of a service's id in bytes.
const LONGEST_ID: usize = 512;

fn too_many(set: &'static str, total: u64) -> ApiError {
    let problem = format!("there are {total} resources, or too many on one page");
    ApiError::BadRow {
        set,
        row: 1,
        problem,
    }
}

/// Returns a string as a literal of a SCIM filter, quoted as in JSON (RFC 7644, section 3.4.2.2).
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn encoded(filter: &str) -> String {
    utf8_percent_encode(filter, NON_ALPHANUMERIC).to_string()
}

/// Returns a filter for resources modified after this time.
fn changed_after(moment: DateTime<Utc>) -> String {
    let moment = moment.to_rfc3339_opts(SecondsFormat::Millis, true);
    encoded(&format!("meta.lastModified gt {}", literal(&moment)))
}

/// A time later than any modification; its year has four digits, as the standard requires.
const NEVER: &str = "9999-01-01T00:00:00Z";

#[derive(serde::Deserialize)]
struct Total {
    #[serde(rename = "totalResults")]
    total: u64,
}

impl Scim {
    /// Returns all users, or only those changed since a time if one is given and the service
    /// supports it ([`Scim::reports_changes`]).
    pub async fn users(
        &self,
        service: &ServiceCapabilities,
        since: Option<DateTime<Utc>>,
    ) -> Result<Listed<PlatformUser>, ApiError> {
        self.read_all::<WireUser>("users of the learning platform", service, since)
            .await
    }

    /// Returns all groups with their members, or only those changed since a time.
    pub async fn groups(
        &self,
        service: &ServiceCapabilities,
        since: Option<DateTime<Utc>>,
    ) -> Result<Listed<PlatformTeam>, ApiError> {
        self.read_all::<WireGroup>("groups of the learning platform", service, since)
            .await
    }

    /// Returns the number of users and the number of groups.
    pub async fn counts(&self) -> Result<(u64, u64), ApiError> {
        tokio::try_join!(self.total(USERS, ""), self.total(GROUPS, ""))
    }

    /// Returns whether the service correctly filters users by modification time; `total` is the
    /// number of users. Some services respond to an unsupported filter with no user, others with
    /// all users, so two filters with opposite expected results are checked.
    pub async fn reports_changes(&self, total: u64) -> Result<bool, ApiError> {
        self.filters_by_change(USERS, total).await
    }

    /// Returns whether groups are filtered correctly: a service may support only one of the two.
    pub async fn reports_changes_of_groups(&self, total: u64) -> Result<bool, ApiError> {
        self.filters_by_change(GROUPS, total).await
    }

    async fn filters_by_change(&self, path: &str, total: u64) -> Result<bool, ApiError> {
        let never = NEVER.parse().unwrap_or(DateTime::<Utc>::MAX_UTC);
        for (moment, expected) in [(never, 0), (DateTime::UNIX_EPOCH, total)] {
            let filter = format!("&filter={}", changed_after(moment));
            match self.total(path, &filter).await {
                Ok(found) if found == expected => {}
                Ok(_) => return Ok(false),
                Err(error) if matches!(error.status(), Some(400 | 501)) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        // If there are no resources at all, the second result proves nothing.
        Ok(total > 0)
    }

    async fn total(&self, path: &str, filter: &str) -> Result<u64, ApiError> {
        let tail = format!("{path}?startIndex=1&count=1{filter}");
        Ok(self.get(&tail).await?.json::<Total>("a list")?.total)
    }

    /// Returns the id of a resource with this external id. Duplicates are resolved when everything
    /// is read; here it only matters that no further one is created.
    pub(super) async fn find(
        &self,
        path: &str,
        external: &str,
    ) -> Result<Option<String>, ApiError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Found {
            id: String,
            external_id: Option<String>,
        }
        let filter = encoded(&format!("externalId eq {}", literal(external)));
        let answer = self
            .get(&format!("{path}?filter={filter}&startIndex=1&count=2"))
            .await?;
        let page: Page<Found> = answer.json("a list")?;
        // A service that ignores the filter may return any resource.
        let mut found = page.resources.into_iter();
        let found = found.find(|it| it.external_id.as_deref() == Some(external));
        Ok(found.map(|it| it.id))
    }

    /// Reads all pages. If resources were added or removed during the reading, everything is read
    /// once more.
    async fn read_all<T: Row>(
        &self,
        set: &'static str,
        service: &ServiceCapabilities,
        since: Option<DateTime<Utc>>,
    ) -> Result<Listed<T::Known>, ApiError> {
        match self.pages::<T>(set, service, since).await {
            Err(error @ ApiError::Incomplete { .. }) => {
                tracing::info!(%error, "the list changed while reading, restarting");
                self.pages::<T>(set, service, since).await
            }
            other => other,
        }
    }

    async fn pages<T: Row>(
        &self,
        set: &'static str,
        service: &ServiceCapabilities,
        since: Option<DateTime<Utc>>,
    ) -> Result<Listed<T::Known>, ApiError> {
        // Overlaps by a millisecond: reading a change twice is better than missing one.
        let filter = since
            .and_then(|since| since.checked_sub_signed(Duration::milliseconds(1)))
            .map(|since| format!("&filter={}", changed_after(since)))
            .unwrap_or_default();
        let mut listed = Listed {
            all: BTreeMap::new(),
            newest: None,
        };
        let mut start: u64 = 1;
        loop {
            let count = service.page;
            let tail = format!("{}?startIndex={start}&count={count}{filter}", T::PATH);
            let page: Page<T> = self.get(&tail).await?.json("a page of resources")?;
            let (before, rows) = (listed.all.len(), page.resources.len() as u64);
            // The service's operator could otherwise exhaust this function's memory.
            if rows > MOST_ON_A_PAGE || page.total > MOST {
                return Err(too_many(set, page.total));
            }
            for row in page.resources {
                let (id, meta, known) = row.split();
                if id.is_empty() || id.len() > LONGEST_ID {
                    let row = listed.all.len() as u64 + 1;
                    let problem = format!("the length of its id is not 1 to {LONGEST_ID} bytes");
                    return Err(ApiError::BadRow { set, row, problem });
                }
                listed.newest = listed.newest.max(meta.last_modified());
                listed.all.insert(id, known);
            }
            start += rows;
            let found = listed.all.len() as u64;
            if found == page.total && start > page.total {
                return Ok(listed);
            }
            // A page past the end may repeat the first one and never end.
            if rows == 0 || listed.all.len() == before || start > page.total {
                return Err(ApiError::Incomplete {
                    set,
                    expected: page.total,
                    found,
                });
            }
        }
    }
}
