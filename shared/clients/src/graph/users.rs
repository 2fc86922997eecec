//! Reads chosen properties of all users of the directory from every page, and counts them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::snapshot::ingest::EntraSet;
use rollcall_domain::snapshot::lms::FieldKind;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::batch_part::Part;
use super::transport::{Call, Transport};
use super::{GraphError, GraphReader};
use crate::blocking::run_blocking;
use crate::http::{Answer, ApiError, Links, position};
use crate::lenient::{Plain, Text};

/// The maximum number of users on a page (Graph's limit).
const PAGE: u32 = 999;
const SET: &str = "users";
const A_PAGE: &str = "a page of users";

/// The properties of a page besides its users.
#[derive(Deserialize)]
pub(super) struct Outline {
    #[serde(rename = "value")]
    _users: IgnoredAny,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
    /// The number of all users; only on the first page.
    #[serde(rename = "@odata.count")]
    pub(super) count: Option<u64>,
}

#[derive(Deserialize)]
struct Users<'a> {
    #[serde(borrow)]
    value: Vec<WireUser<'a>>,
}

/// The properties of a user's object; Graph returns only the selected ones.
struct WireUser<'a>(Vec<(Cow<'a, str>, Plain<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for WireUser<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = WireUser<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut user: A) -> Result<WireUser<'de>, A::Error> {
                let mut properties = Vec::new();
                while let Some((Text(name), value)) = user.next_entry()? {
                    properties.push((name, value));
                }
                Ok(WireUser(properties))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl GraphReader {
    /// Reads the properties `wanted` (whose names contain only letters and digits) of every
    /// user, page by page; the next page is requested while one is processed. Missing values
    /// are left out. The error of a page is an error of the whole.
    ///
    /// Users are counted against Graph's own count. If the numbers differ (the directory
    /// changed between pages, or a page was cut), all users are read once more from the
    /// start; a second difference is returned as [`ApiError::Incomplete`].
    pub async fn user_properties(
        &self,
        wanted: BTreeMap<String, FieldKind>,
    ) -> Result<EntraSet, GraphError> {
        match self.all_users(EntraSet::new(wanted.clone())).await {
            Err(GraphError::Api(error @ ApiError::Incomplete { .. })) => {
                tracing::info!(%error, "the list of users is incomplete; reading it again");
                self.all_users(EntraSet::new(wanted)).await
            }
            other => other,
        }
    }

    async fn all_users(&self, mut users: EntraSet) -> Result<EntraSet, GraphError> {
        let names: Vec<&str> = users.kinds().keys().map(String::as_str).collect();
        let names = names.join(",");
        let first = format!("/v1.0/users?$count=true&$select=id,{names}&$top={PAGE}");
        let mut links = Links::new(SET);
        let (mut answer, mut outline) = self.fetch(first).await?;
        let expected = outline.count.ok_or_else(|| {
            let detail = "the count is missing, so it is unknown whether all users were received";
            answer.not("a first page with @odata.count", detail.to_owned())
        })?;
        loop {
            let taken = run_blocking(move || take(users, &answer).map_err(GraphError::from));
            let Some(link) = outline.next_link else {
                return Ok(complete(taken.await?, expected)?);
            };
            let tail = self.transport.tail_of(&mut links, &link)?;
            (users, (answer, outline)) = tokio::try_join!(taken, self.fetch(tail))?;
        }
    }

    /// Reads a page of a counted list; a next link does not include the required header.
    pub(super) async fn fetch(&self, tail: String) -> Result<(Answer, Outline), GraphError> {
        let call = Call {
            method: Method::GET,
            tail: &tail,
            body: None,
            prefer: None,
            eventual: true,
            batch: None,
        };
        let answer = self.transport.call(&call).await?;
        let outline = answer.json(A_PAGE)?;
        Ok((answer, outline))
    }
}

impl GraphReader {
    /// Returns those of these accounts that do not exist (any more), twenty per request. A
    /// soft-deleted account does not exist.
    ///
    /// # Errors
    /// Returns an error if it is unknown for any of them.
    pub async fn absent_accounts(
        &self,
        accounts: &BTreeSet<ObjectId>,
    ) -> Result<BTreeSet<ObjectId>, GraphError> {
        absent_users(&self.transport, accounts).await
    }
}

/// The same, for the write client.
pub(super) async fn absent_users(
    transport: &Transport,
    accounts: &BTreeSet<ObjectId>,
) -> Result<BTreeSet<ObjectId>, GraphError> {
    let parts: Vec<Part> = accounts
        .iter()
        .map(|id| Part::get(format!("/users/{id}?$select=id")))
        .collect();
    let answers = transport.read_parts(&parts).await?;
    let mut absent = BTreeSet::new();
    for (account, answer) in accounts.iter().zip(answers) {
        match answer {
            Ok(_) => {}
            Err(error) if error.status() == Some(404) => {
                absent.insert(*account);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(absent)
}

/// Returns the users if their number equals the announced count. A user on two pages counts
/// once, in which case another user is missing.
fn complete(users: EntraSet, expected: u64) -> Result<EntraSet, ApiError> {
    let found = users.len() as u64;
    if found == expected {
        return Ok(users);
    }
    Err(ApiError::Incomplete {
        set: SET,
        expected,
        found,
    })
}

/// Adds the users of a page.
fn take(mut users: EntraSet, page: &Answer) -> Result<EntraSet, ApiError> {
    let Users { value } =
        serde_json::from_slice(&page.body).map_err(|error| page.not(A_PAGE, position(&error)))?;
    for WireUser(properties) in value {
        let values: Vec<(Cow<'_, str>, Cow<'_, str>)> = properties
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.into_text()?)))
            .collect();
        let id = values.iter().find(|(name, _)| name == "id");
        let id = id.and_then(|(_, id)| Uuid::try_parse(id).ok());
        let id =
            id.ok_or_else(|| page.not(A_PAGE, "a user without a GUID as its id".to_owned()))?;
        let values = values
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()));
        users
            .push(ObjectId::new(id), values)
            .map_err(|error| page.not(A_PAGE, error.to_string()))?;
    }
    Ok(users)
}
