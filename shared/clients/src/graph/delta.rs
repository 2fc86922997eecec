//! Follows people and groups of the directory: everything once, afterwards only what changed.
//!
//! <https://learn.microsoft.com/graph/delta-query-overview>: entities repeat, come in any
//! order, and large groups in slices; what was asked for is kept in the link. A link
//! lives for seven days and can be withdrawn at any time (410).

use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::directory_sync::{GroupChange, PersonChange, Reported};
use serde::Deserialize;
use uuid::Uuid;

use super::transport::Call;
use super::{GraphError, GraphReader};
use crate::http::Links;

/// What is read of a person.
const PERSON: &str = "id,givenName,surname,displayName,mail,userPrincipalName,jobTitle,department,accountEnabled,userType,manager";
/// What is read of a group.
const GROUP: &str = "id,displayName,members";
/// Groups that one delta query can be confined to (Graph's limit).
pub const MAX_GROUPS: usize = 50;
/// Graph gives as many as it likes on a page; this is a wish.
const PAGE: &str = "odata.maxpagesize=999";
/// The entity that people are in what refers to others.
const USER: &str = "#microsoft.graph.user";

/// A place to follow changes from, as the directory gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaLink(pub String);

/// What a delta query came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Followed {
    /// Everything was told; changes from here on come from this link.
    To(DeltaLink),
    /// The link is worth nothing any more: everything has to be read anew.
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
        // A user without a type counts as a member.
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
    /// Only people count as members; one who left may come without a type.
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
    /// Reads all people, or from `link` on those that changed: `take` gets each as
    /// often as it is told, `None` for one that was deleted.
    pub async fn follow_people(
        &self,
        link: Option<&DeltaLink>,
        mut take: impl FnMut(ObjectId, Option<PersonChange>),
    ) -> Result<Followed, GraphError> {
        let first = format!("/v1.0/users/delta?$select={PERSON}");
        self.follow("changed people", link, first, |person: WirePerson| {
            let id = ObjectId::new(person.id);
            take(id, person.removed.is_none().then(|| person.change()));
        })
        .await
    }

    /// Reads groups with their direct members who are people, or from `link` on
    /// those that changed; all groups without `only`, which may name [`MAX_GROUPS`].
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
            // Kept from a time when the service was at another address: worth nothing.
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

/// The directory does not take the link any more. Which code it says that with has
/// changed over the years, so every refusal that is not about the credential counts:
/// reading everything anew is always right.
fn is_expired(error: &GraphError) -> bool {
    let refused = error
        .status()
        .is_some_and(|status| (400..500).contains(&status));
    refused && !error.is_auth() && !error.is_transient()
}
