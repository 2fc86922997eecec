//! Reads the members of groups from all pages, with few requests, and separates users.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::batch_part::Part;
use super::{GraphError, GraphReader};
use crate::http::{ApiError, Links, position};

/// The maximum number of members on a page (Graph's limit; 1,000 is rejected).
const PAGE: u32 = 999;

const SET: &str = "members";

/// The direct members of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// The members that are users.
    pub users: BTreeSet<ObjectId>,
    /// Groups, devices and service principals: id and `@odata.type`. They cannot be in an
    /// audience.
    pub others: BTreeMap<ObjectId, String>,
}

#[derive(Deserialize)]
struct MemberPage {
    /// The number of members; only the first page contains it.
    #[serde(rename = "@odata.count")]
    count: Option<u64>,
    value: Vec<WireMember>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct WireMember {
    id: Uuid,
    #[serde(rename = "@odata.type")]
    kind: String,
}

/// A group whose members are being read.
struct Reading {
    group: ObjectId,
    /// The URL of the next page, after `/v1.0`.
    next: Option<String>,
    links: Links,
    /// The number of members that the first page announced.
    announced: Option<u64>,
    so_far: Result<Members, ApiError>,
}

impl Reading {
    fn new(group: ObjectId) -> Self {
        Self {
            group,
            next: Some(format!(
                "/groups/{group}/members?$count=true&$select=id&$top={PAGE}"
            )),
            links: Links::new(SET),
            announced: None,
            so_far: Ok(Members::default()),
        }
    }

    /// Returns the members if their number is the announced one; otherwise the group changed
    /// between pages, or a page was cut.
    fn complete(self) -> Result<Members, ApiError> {
        let members = self.so_far?;
        let found = members.len() as u64;
        match self.announced {
            Some(expected) if expected == found => Ok(members),
            Some(expected) => Err(ApiError::Incomplete {
                set: SET,
                expected,
                found,
            }),
            None => Err(ApiError::Decode {
                method: "GET",
                path: format!("/v1.0/groups/{}/members", self.group),
                expected: "a first page with @odata.count",
                detail: "the count is missing, so it is unknown whether all members were received"
                    .to_owned(),
            }),
        }
    }
}

impl GraphReader {
    /// Reads the direct members of one group, all pages, like [`GraphReader::members_of`].
    pub async fn member_ids(&self, group: ObjectId) -> Result<Members, GraphError> {
        let mut found = self.members_of(&[group]).await?;
        let members = found.remove(&group);
        Ok(members.unwrap_or_else(|| Ok(Members::default()))?)
    }

    /// Reads the direct members of many groups, up to twenty pages per request. An error of
    /// one group (deleted, or a page failed) does not affect the others; the result for a
    /// group is complete or an error.
    ///
    /// The members are counted against Graph's own count, from the same index. A group whose
    /// numbers differ is read once more; a second difference is [`ApiError::Incomplete`]. An empty
    /// group is read once more too, because an empty page may also announce no members.
    pub async fn members_of(
        &self,
        groups: &[ObjectId],
    ) -> Result<BTreeMap<ObjectId, Result<Members, ApiError>>, GraphError> {
        let distinct: BTreeSet<ObjectId> = groups.iter().copied().collect();
        let mut found = self.read_groups(distinct).await?;
        let unproven: BTreeSet<ObjectId> = found
            .iter()
            .filter(|(_, members)| match members {
                Ok(members) => members.is_empty(),
                Err(error) => matches!(error, ApiError::Incomplete { .. }),
            })
            .map(|(group, _)| *group)
            .collect();
        if !unproven.is_empty() {
            tracing::info!(
                groups = unproven.len(),
                "member lists are incomplete or empty; reading them again"
            );
            found.extend(self.read_groups(unproven).await?);
        }
        Ok(found)
    }

    async fn read_groups(
        &self,
        groups: BTreeSet<ObjectId>,
    ) -> Result<BTreeMap<ObjectId, Result<Members, ApiError>>, GraphError> {
        let mut readings: Vec<Reading> = groups.into_iter().map(Reading::new).collect();
        self.read_to_the_end(&mut readings).await?;
        Ok(readings
            .into_iter()
            .map(|done| (done.group, done.complete()))
            .collect())
    }

    /// Reads the next page of every unfinished group until all are complete.
    async fn read_to_the_end(&self, readings: &mut [Reading]) -> Result<(), GraphError> {
        loop {
            let mut open: Vec<&mut Reading> = readings
                .iter_mut()
                .filter(|reading| reading.next.is_some())
                .collect();
            if open.is_empty() {
                return Ok(());
            }
            let parts: Vec<Part> = open
                .iter()
                .filter_map(|reading| reading.next.clone())
                .map(Part::get_counted)
                .collect();
            let answers = self.transport.read_parts(&parts).await?;
            for (reading, answer) in open.iter_mut().zip(answers) {
                self.take_page(reading, answer);
            }
        }
    }

    fn take_page(&self, reading: &mut Reading, answer: Result<Value, ApiError>) {
        reading.next = None;
        let page = answer.and_then(|body| read_page(reading.group, &body));
        let next = page.and_then(|page| {
            reading.announced = reading.announced.or(page.count);
            if let Ok(members) = &mut reading.so_far {
                members.take(page.value);
            }
            let inside = |link: String| self.inside_batch(&mut reading.links, &link);
            page.next_link.map(inside).transpose()
        });
        match next {
            Ok(next) => reading.next = next,
            Err(error) => reading.so_far = Err(error),
        }
    }

    /// Returns a next-page link as the URL of a batch part: everything after `/v1.0`,
    /// unchanged. Only links to the configured host are accepted.
    fn inside_batch(&self, links: &mut Links, link: &str) -> Result<String, ApiError> {
        links.admit(&self.transport.base, link)?;
        let prefix = self.transport.base.join("/v1.0");
        let tail = link
            .strip_prefix(&prefix)
            .filter(|tail| tail.starts_with('/'));
        tail.map(str::to_owned)
            .ok_or_else(|| ApiError::ForeignLink {
                expected_host: prefix,
                found_host: "another part of the same host".into(),
            })
    }
}

impl Members {
    /// Returns the number of members of all kinds.
    pub fn len(&self) -> usize {
        self.users.len() + self.others.len()
    }

    /// Returns true if there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&mut self, page: Vec<WireMember>) {
        for member in page {
            let id = ObjectId::new(member.id);
            if member.kind.eq_ignore_ascii_case("#microsoft.graph.user") {
                self.users.insert(id);
            } else {
                self.others.insert(id, member.kind);
            }
        }
    }
}

fn read_page(group: ObjectId, body: &Value) -> Result<MemberPage, ApiError> {
    MemberPage::deserialize(body).map_err(|error| ApiError::Decode {
        method: "GET",
        path: format!("/v1.0/groups/{group}/members"),
        expected: "a page of members",
        detail: position(&error),
    })
}
