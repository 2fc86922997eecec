//! Queries of the directory sync besides changes: counts, deleted users, filters, groups, pictures.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::batch_part::Part;
use super::transport::Call;
use super::{GraphError, GraphReader};
use crate::http::{Answer, ApiError, Links};

/// The maximum number of ids on a page (Graph's limit).
const PAGE: u32 = 999;
/// The maximum size of a picture in bytes.
const MAX_PICTURE: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Ids {
    value: Vec<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: Uuid,
}

/// A user's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its media type, such as `image/jpeg`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

fn encoded(filter: &str) -> String {
    utf8_percent_encode(filter.trim(), NON_ALPHANUMERIC).to_string()
}

impl GraphReader {
    /// Returns the number of users in the directory's index, which may lag by some minutes.
    pub async fn count_people(&self) -> Result<u64, GraphError> {
        let answer = self.counted("/v1.0/users/$count").await?;
        let text = String::from_utf8_lossy(&answer.body);
        let number = text.trim_start_matches('\u{feff}').trim().parse();
        Ok(number.map_err(|_| answer.not("a number", "it is other text".to_owned()))?)
    }

    /// Returns all deleted users that can be restored, which is possible for 30 days.
    pub async fn deleted_people(&self) -> Result<BTreeSet<ObjectId>, GraphError> {
        let first =
            format!("/v1.0/directory/deletedItems/microsoft.graph.user?$select=id&$top={PAGE}");
        self.ids("deleted users", first, false).await
    }

    /// Returns all users that match a filter, verified against Graph's own count.
    pub async fn fitting_people(&self, filter: &str) -> Result<BTreeSet<ObjectId>, GraphError> {
        let filter = encoded(filter);
        let first = format!("/v1.0/users?$count=true&$select=id&$top={PAGE}&$filter={filter}");
        match self
            .ids("users that match the filter", first.clone(), true)
            .await
        {
            Err(GraphError::Api(ApiError::Incomplete { .. })) => {
                self.ids("users that match the filter", first, true).await
            }
            other => other,
        }
    }

    /// Checks that Graph accepts a filter and returns the number of matching users.
    pub async fn try_filter(&self, filter: &str) -> Result<u64, GraphError> {
        let filter = encoded(filter);
        let tail = format!("/v1.0/users?$count=true&$select=id&$top=1&$filter={filter}");
        let (answer, outline) = self.fetch(tail).await?;
        Ok(outline.count.ok_or_else(|| {
            answer.not(
                "a page with @odata.count",
                "the count is missing".to_owned(),
            )
        })?)
    }

    /// Returns the names of those of some groups that exist.
    pub async fn group_names(
        &self,
        groups: impl IntoIterator<Item = ObjectId>,
    ) -> Result<BTreeMap<ObjectId, String>, GraphError> {
        let groups: Vec<ObjectId> = groups.into_iter().collect();
        let parts: Vec<Part> = groups
            .iter()
            .map(|id| Part::get(format!("/groups/{id}?$select=id,displayName")))
            .collect();
        let mut found = BTreeMap::new();
        for (id, answer) in groups.iter().zip(self.transport.read_parts(&parts).await?) {
            match answer {
                Ok(body) => {
                    let name = body.get("displayName").and_then(Value::as_str);
                    found.insert(*id, name.unwrap_or_default().to_owned());
                }
                Err(error) if error.status() == Some(404) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Returns a user's picture; `None` if there is none.
    pub async fn picture(&self, person: ObjectId) -> Result<Option<Picture>, GraphError> {
        let tail = format!("/v1.0/users/{person}/photo/$value");
        let answer = match self.transport.get(&tail).await {
            Err(error) if error.status() == Some(404) => return Ok(None),
            other => other?,
        };
        let media_type = answer
            .headers
            .get("content-type")
            .and_then(|it| it.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let is_picture = matches!(
            media_type.as_str(),
            "image/jpeg" | "image/png" | "image/gif"
        );
        if !is_picture || answer.body.len() > MAX_PICTURE {
            return Ok(None);
        }
        Ok(Some(Picture {
            media_type,
            bytes: answer.body,
        }))
    }

    async fn counted(&self, tail: &str) -> Result<Answer, GraphError> {
        let call = Call {
            method: Method::GET,
            tail,
            body: None,
            prefer: None,
            eventual: true,
            batch: None,
        };
        self.transport.call(&call).await
    }

    async fn ids(
        &self,
        set: &'static str,
        first: String,
        is_counted: bool,
    ) -> Result<BTreeSet<ObjectId>, GraphError> {
        let mut links = Links::new(set);
        let mut found = BTreeSet::new();
        let (mut answer, mut outline) = self.fetch(first).await?;
        let expected = outline.count;
        if is_counted && expected.is_none() {
            let detail =
                "the count is missing, so it is unknown whether all were received".to_owned();
            return Err(answer.not("a first page with @odata.count", detail).into());
        }
        loop {
            let ids: Ids = answer.json("a page of ids")?;
            found.extend(ids.value.into_iter().map(|it| ObjectId::new(it.id)));
            let Some(link) = outline.next_link else { break };
            let tail = self.transport.tail_of(&mut links, &link)?;
            (answer, outline) = self.fetch(tail).await?;
        }
        match expected {
            Some(expected) if expected != found.len() as u64 => {
                let found = found.len() as u64;
                Err(ApiError::Incomplete {
                    set,
                    expected,
                    found,
                }
                .into())
            }
            _ => Ok(found),
        }
    }
}
