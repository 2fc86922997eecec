//! Follows users and groups of the directory: everything once, then only the changes.
//!
//! <https://learn.microsoft.com/graph/delta-query-overview>: entities repeat and arrive in
//! any order, large groups in slices; the link contains the query. A link is valid for seven
//! days and can be revoked at any time (410).

use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::directory_sync::{GroupChange, PersonChange, Reported};
use serde::Deserialize;
use uuid::Uuid;

use super::transport::Call;
use super::{GraphError, GraphReader};
use crate::http::Links;

/// The properties of a user.
const PERSON: &str = "id,givenName,surname,displayName,mail,userPrincipalName,jobTitle,department,accountEnabled,userType,manager";
/// The properties of a group.
const GROUP: &str = "id,displayName,members";
/// The maximum number of groups in the filter of one delta query (Graph's limit).
pub const MAX_GROUPS: usize = 50;
/// The requested page size; Graph may return pages of any size.
const PAGE: &str = "odata.maxpagesize=999";
/// The type of users in references.
const USER: &str = "#microsoft.graph.user";

/// The link from which changes are followed, as returned by the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaLink(pub String);

/// The result of a delta query.
#[derive(Debug, PartialEq, Eq)]
pub enum Followed {
    /// All changes were read; later changes are read from this link.
    To(DeltaLink),
    /// The link is no longer valid: everything must be read again.
    Expired,
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

#[derive(Deserialize)]
struct Removed {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePerson {
    id: Uuid,
    #[serde(rename = "@removed")]
    removed: Option<Removed>,
    #[serde(default)]
    given_name: Reported,
    #[serde(default)]
    surname: Reported,
    #[serde(default)]
    display_name: Reported,
    #[serde(default)]
    mail: Reported,
    #[serde(default)]
    user_principal_name: Reported,
    #[serde(default)]
    job_title: Reported,
    #[serde(default)]
    department: Reported,
    #[serde(default)]
    user_type: Reported,
    account_enabled: Option<bool>,
    #[serde(default, rename = "manager@delta")]
    manager: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    id: Uuid,
    #[serde(rename = "@odata.type")]
    kind: Option<String>,
    #[serde(rename = "@removed")]
    removed: Option<Removed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGroup {
    id: Uuid,
    #[serde(rename = "@removed")]
    removed: Option<Removed>,
    display_name: Option<String>,
    #[serde(default, rename = "members@delta")]
    members: Vec<Reference>,
}

impl WirePerson {
    fn change(self) -> PersonChange {
        let (gone, named): (Vec<_>, Vec<_>) = self
            .manager
            .into_iter()
            .partition(|it| it.removed.is_some());
        // A user without a type is a member.
        let guest = match self.user_type {
            Reported::Nothing => None,
            Reported::Is(kind) => Some(kind.is_some_and(|kind| kind.eq_ignore_ascii_case("guest"))),
        };
        PersonChange {
            first_name: self.given_name,
            last_name: self.surname,
            display_name: self.display_name,
            email: self.mail,
            sign_in_name: self.user_principal_name,
            job_title: self.job_title,
            department: self.department,
            guest,
            enabled: self.account_enabled,
            not_managers: gone.into_iter().map(|it| ObjectId::new(it.id)).collect(),
            manager: named.last().map(|it| ObjectId::new(it.id)),
        }
    }
}

impl WireGroup {
    /// Ignores references that are not users; a removed member may have no type.
    fn change(self) -> GroupChange {
        let mut change = GroupChange {
            name: self.display_name,
            ..GroupChange::default()
        };
        for member in self.members {
            let id = ObjectId::new(member.id);
            if member.removed.is_some() {
                change.left.push(id);
            } else if member
                .kind
                .is_none_or(|kind| kind.eq_ignore_ascii_case(USER))
            {
                change.joined.push(id);
            }
        }
        change
    }
}

impl GraphReader {
    /// Reads all users, or those that changed since `link`. `take` is called for each
    /// reported change, with `None` for a deleted user.
    pub async fn follow_people(
        &self,
        link: Option<&DeltaLink>,
        mut take: impl FnMut(ObjectId, Option<PersonChange>),
    ) -> Result<Followed, GraphError> {
        let first = format!("/v1.0/users/delta?$select={PERSON}");
        self.follow("changed users", link, first, |person: WirePerson| {
            let id = ObjectId::new(person.id);
            take(id, person.removed.is_none().then(|| person.change()));
        })
        .await
    }

    /// Reads groups with their direct members that are users, or those that changed since
    /// `link`; `only` limits them to at most [`MAX_GROUPS`] groups and means all groups if
    /// empty.
    pub async fn follow_groups(
        &self,
        link: Option<&DeltaLink>,
        only: &[ObjectId],
        mut take: impl FnMut(ObjectId, Option<GroupChange>),
    ) -> Result<Followed, GraphError> {
        let mut first = format!("/v1.0/groups/delta?$select={GROUP}");
        if !only.is_empty() {
            let ids: Vec<String> = only.iter().map(|id| format!("id%20eq%20'{id}'")).collect();
            first = format!("{first}&$filter={}", ids.join("%20or%20"));
        }
        self.follow("changed groups", link, first, |group: WireGroup| {
            let id = ObjectId::new(group.id);
            take(id, group.removed.is_none().then(|| group.change()));
        })
        .await
    }

    async fn follow<T: serde::de::DeserializeOwned>(
        &self,
        set: &'static str,
        link: Option<&DeltaLink>,
        first: String,
        mut take: impl FnMut(T),
    ) -> Result<Followed, GraphError> {
        let mut links = Links::new(set);
        let mut tail = match link {
            None => first,
            // The stored link belongs to an earlier address of Graph and is not valid.
            Some(DeltaLink(kept)) => match self.transport.tail_of(&mut links, kept) {
                Ok(tail) => tail,
                Err(_) => return Ok(Followed::Expired),
            },
        };
        loop {
            let call = Call {
                method: Method::GET,
                tail: &tail,
                body: None,
                prefer: Some(PAGE),
                eventual: false,
                batch: None,
            };
            let answer = match self.transport.call(&call).await {
                Err(error) if link.is_some() && is_expired(&error) => return Ok(Followed::Expired),
                other => other?,
            };
            let page: Page<T> = answer.json("a page of changes")?;
            page.value.into_iter().for_each(&mut take);
            match (page.next, page.delta) {
                (Some(next), _) => tail = self.transport.tail_of(&mut links, &next)?,
                (None, Some(delta)) => {
                    self.transport.tail_of(&mut Links::new(set), &delta)?;
                    return Ok(Followed::To(DeltaLink(delta)));
                }
                (None, None) => {
                    let detail = "it has neither a next link nor a delta link".to_owned();
                    return Err(answer.not("the last page of changes", detail).into());
                }
            }
        }
    }
}

/// Returns whether the directory rejected the link as expired. Graph's code for this has
/// changed over the years, so every rejection except those of the credential counts: reading
/// everything again is always correct.
fn is_expired(error: &GraphError) -> bool {
    let refused = error
        .status()
        .is_some_and(|status| (400..500).contains(&status));
    refused && !error.is_auth() && !error.is_transient()
}
