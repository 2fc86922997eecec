//! Reads the members of groups from all pages, with few requests, and separates users.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::batch::Part;
use super::{GraphError, GraphReader};
use crate::http::{ApiError, Links, position};

/// The maximum number of members on a page (Graph's limit; 1,000 is rejected).
const PAGE: u32 = 999;

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
    so_far: Result<Members, ApiError>,
}

impl Reading {
    fn new(group: ObjectId) -> Self {
        Self {
            group,
            next: Some(format!("/groups/{group}/members?$select=id&$top={PAGE}")),
            links: Links::new("members"),
            so_far: Ok(Members::default()),
        }
    }
}

impl GraphReader {
    /// Reads the direct members of one group, all pages.
    pub async fn member_ids(&self, group: ObjectId) -> Result<Members, GraphError> {
        let mut reading = vec![Reading::new(group)];
        self.read_to_the_end(&mut reading).await?;
        let members = reading
            .pop()
            .map_or_else(|| Ok(Members::default()), |done| done.so_far);
        Ok(members?)
    }

    /// Reads the direct members of many groups, up to twenty pages per request. An error of
    /// one group (deleted, or a page failed) does not affect the others; the result for a
    /// group is complete or an error.
    pub async fn members_of(
        &self,
        groups: &[ObjectId],
    ) -> Result<BTreeMap<ObjectId, Result<Members, ApiError>>, GraphError> {
        let distinct: BTreeSet<ObjectId> = groups.iter().copied().collect();
        let mut readings: Vec<Reading> = distinct.into_iter().map(Reading::new).collect();
        self.read_to_the_end(&mut readings).await?;
        Ok(readings
            .into_iter()
            .map(|done| (done.group, done.so_far))
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
                .map(Part::get)
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
