//! Reads all users and groups, or those that changed since; complete or an error.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_domain::directory::{PlatformTeam, PlatformUser};
use serde::de::DeserializeOwned;

use super::wire::{Meta, Page, WireGroup, WireUser};
use super::{Described, Scim};
use crate::http::ApiError;

/// Resources that were read, and the newest moment at which one was changed, as
/// the service writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// By the service's ids.
    pub all: BTreeMap<String, T>,
    /// The newest `meta.lastModified`; none where the service keeps none.
    pub newest: Option<String>,
}

/// Where users are.
pub(super) const USERS: &str = "/Users";
/// Where groups are.
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

/// A text as a literal of a SCIM filter: JSON's quoting (RFC 7644, section 3.4.2.2).
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn encoded(filter: &str) -> String {
    utf8_percent_encode(filter, NON_ALPHANUMERIC).to_string()
}

impl Scim {
    /// All users; those changed after `since` only, where it is given and the
    /// service knows how to tell.
    pub async fn users(
        &self,
        described: &Described,
        since: Option<&str>,
    ) -> Result<Listed<PlatformUser>, ApiError> {
        self.whole::<WireUser>("users of the learning platform", described, since)
            .await
    }

    /// The same of groups, with their members.
    pub async fn groups(
        &self,
        described: &Described,
        since: Option<&str>,
    ) -> Result<Listed<PlatformTeam>, ApiError> {
        self.whole::<WireGroup>("groups of the learning platform", described, since)
            .await
    }

    /// How many users and how many groups there are.
    pub async fn counts(&self) -> Result<(u64, u64), ApiError> {
        #[derive(serde::Deserialize)]
        struct Total {
            #[serde(rename = "totalResults")]
            total: u64,
        }
        let total = async |path: &str| -> Result<u64, ApiError> {
            let answer = self.get(&format!("{path}?startIndex=1&count=1")).await?;
            Ok(answer.json::<Total>("a list")?.total)
        };
        tokio::try_join!(total(USERS), total(GROUPS))
    }

    /// The one resource with an external id, if there is exactly one.
    pub(super) async fn find(
        &self,
        path: &str,
        external: &str,
    ) -> Result<Option<String>, ApiError> {
        #[derive(serde::Deserialize)]
        struct Found {
            id: String,
        }
        let filter = encoded(&format!("externalId eq {}", literal(external)));
        let answer = self
            .get(&format!("{path}?filter={filter}&startIndex=1&count=2"))
            .await?;
        let page: Page<Found> = answer.json("a list")?;
        let mut found = page.resources.into_iter();
        Ok(match (found.next(), found.next()) {
            (Some(one), None) => Some(one.id),
            _ => None,
        })
    }

    /// Resources appear and vanish while their pages are read; then everything is
    /// read once more.
    async fn whole<T: Row>(
        &self,
        set: &'static str,
        described: &Described,
        since: Option<&str>,
    ) -> Result<Listed<T::Known>, ApiError> {
        match self.pages::<T>(set, described, since).await {
            Err(error @ ApiError::Incomplete { .. }) => {
                tracing::info!(%error, "reading once more");
                self.pages::<T>(set, described, since).await
            }
            other => other,
        }
    }

    async fn pages<T: Row>(
        &self,
        set: &'static str,
        described: &Described,
        since: Option<&str>,
    ) -> Result<Listed<T::Known>, ApiError> {
        let filter = since.map(|since| format!("meta.lastModified gt {}", literal(since)));
        let filter = filter
            .map(|filter| format!("&filter={}", encoded(&filter)))
            .unwrap_or_default();
        let mut listed = Listed {
            all: BTreeMap::new(),
            newest: None,
        };
        let mut start: u64 = 1;
        loop {
            let count = described.page;
            let tail = format!("{}?startIndex={start}&count={count}{filter}", T::PATH);
            let page: Page<T> = self.get(&tail).await?.json("a page of resources")?;
            let (before, rows) = (listed.all.len(), page.resources.len() as u64);
            for row in page.resources {
                let (id, meta, known) = row.split();
                listed.newest = listed.newest.max(meta.last_modified);
                listed.all.insert(id, known);
            }
            start += rows;
            let found = listed.all.len() as u64;
            if found == page.total && start > page.total {
                return Ok(listed);
            }
            // A page behind the end may be the first one again, and never end.
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
