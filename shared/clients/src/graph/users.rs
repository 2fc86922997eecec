//! Reads chosen properties of all users of the directory, every page.

use std::collections::BTreeMap;

use rollcall_domain::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Graph, GraphError};
use crate::http::{ApiError, Links};

/// Users on a page (Graph's limit).
const PAGE: u32 = 999;

/// The values of one user's properties, as texts, by Graph name.
pub type UserProperties = BTreeMap<String, String>;

#[derive(Deserialize)]
struct UserPage {
    value: Vec<WireUser>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct WireUser {
    id: Uuid,
    #[serde(flatten)]
    properties: Map<String, Value>,
}

impl Graph {
    /// Reads the named properties (letters and digits only) of every user.
    /// Missing values are left out; a page that fails fails the whole.
    pub async fn user_properties(
        &self,
        names: &[&str],
    ) -> Result<BTreeMap<ObjectId, UserProperties>, GraphError> {
        let mut users = BTreeMap::new();
        let mut links = Links::new("users");
        let mut next = Some(format!(
            "/v1.0/users?$select=id,{}&$top={PAGE}",
            names.join(",")
        ));
        while let Some(tail) = next {
            let page: UserPage = self.get(&tail).await?.json("a page of users")?;
            users.extend(
                page.value
                    .into_iter()
                    .map(|user| (ObjectId::new(user.id), texts(&user.properties, names))),
            );
            next = page
                .next_link
                .map(|link| self.tail_of(&mut links, &link))
                .transpose()?;
        }
        Ok(users)
    }

    /// A next-page link as a tail of the configured address, which it must belong to.
    fn tail_of(&self, links: &mut Links, link: &str) -> Result<String, ApiError> {
        links.admit(&self.base, link)?;
        let tail = link
            .strip_prefix(self.base.as_str())
            .filter(|tail| tail.starts_with("/v1.0/"));
        tail.map(str::to_owned)
            .ok_or_else(|| ApiError::ForeignLink {
                expected_host: self.base.as_str().to_owned(),
                found_host: "another part of the same host".to_owned(),
            })
    }
}

fn texts(properties: &Map<String, Value>, names: &[&str]) -> UserProperties {
    names
        .iter()
        .filter_map(|name| {
            let text = match properties.get(*name)? {
                Value::String(text) => text.clone(),
                Value::Bool(truth) => truth.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some(((*name).to_owned(), text))
        })
        .collect()
}
