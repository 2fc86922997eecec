//! Single users and groups of the directory, looked up while a user waits for the response.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use uuid::Uuid;

use super::{GraphError, GraphReader};

const PERSON: &str =
    "$select=id,displayName,mail,userPrincipalName,department,jobTitle,accountEnabled,userType";
const GROUP: &str = "$select=id,displayName,description,mail";
const LEVELS: usize = 10;

/// The current properties of a user of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryPerson {
    /// The object id.
    pub id: Uuid,
    /// The display name.
    pub display_name: Option<String>,
    /// The mail address.
    pub mail: Option<String>,
    /// The sign-in name.
    pub user_principal_name: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The job title.
    pub job_title: Option<String>,
    /// True if the account may sign in.
    pub account_enabled: Option<bool>,
    /// `Member` or `Guest`.
    pub user_type: Option<String>,
}

/// The current properties of a group of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryGroup {
    /// The object id.
    pub id: Uuid,
    /// The display name.
    pub display_name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Its mail address, if it has one.
    pub mail: Option<String>,
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

/// Returns a text as an `OData` literal within a query.
fn literal(text: &str) -> String {
    utf8_percent_encode(&text.replace('\'', "''"), NON_ALPHANUMERIC).to_string()
}

/// Returns a query for names that begin with the text, or for all names if it is blank.
fn beginning(select: &str, text: &str, limit: usize) -> String {
    let top = limit.clamp(1, 999);
    match text.trim() {
        "" => format!("{select}&$top={top}"),
        text => format!(
            "{select}&$top={top}&$filter=startswith(displayName,'{}')",
            literal(text)
        ),
    }
}

impl GraphReader {
    /// Returns a user by object id; `None` if it does not exist.
    pub async fn person(&self, id: ObjectId) -> Result<Option<DirectoryPerson>, GraphError> {
        self.get_if_found(&format!("/v1.0/users/{id}?{PERSON}"), "a user")
            .await
    }

    /// Returns the managers above a user, the nearest first, at most ten.
    pub async fn managers(&self, id: ObjectId) -> Result<Vec<DirectoryPerson>, GraphError> {
        let mut above: Vec<DirectoryPerson> = Vec::new();
        let mut of = id.uuid();
        while above.len() < LEVELS {
            let tail = format!("/v1.0/users/{of}/manager?{PERSON}");
            let Some(manager) = self
                .get_if_found::<DirectoryPerson>(&tail, "a user")
                .await?
            else {
                break;
            };
            // Cycles of managers exist in real directories.
            if manager.id == id.uuid() || above.iter().any(|known| known.id == manager.id) {
                break;
            }
            of = manager.id;
            above.push(manager);
        }
        Ok(above)
    }

    /// Returns users whose name begins with a text.
    pub async fn people_named(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<DirectoryPerson>, GraphError> {
        let tail = format!("/v1.0/users?{}", beginning(PERSON, text, limit));
        let found: List<DirectoryPerson> =
            self.transport.get(&tail).await?.json("a page of users")?;
        Ok(found.value)
    }

    /// Returns groups whose name begins with a text.
    pub async fn groups_named(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<DirectoryGroup>, GraphError> {
        let tail = format!("/v1.0/groups?{}", beginning(GROUP, text, limit));
        let found: List<DirectoryGroup> =
            self.transport.get(&tail).await?.json("a page of groups")?;
        Ok(found.value)
    }

    /// Returns a group by object id; `None` if it does not exist.
    pub async fn group_by_id(&self, id: ObjectId) -> Result<Option<DirectoryGroup>, GraphError> {
        self.get_if_found(&format!("/v1.0/groups/{id}?{GROUP}"), "a group")
            .await
    }

    /// Returns the mail address of a user, or the sign-in name if there is none.
    pub async fn address(&self, id: ObjectId) -> Result<Option<String>, GraphError> {
        let person = self.person(id).await?;
        Ok(person.and_then(|it| it.mail.or(it.user_principal_name)))
    }

    async fn get_if_found<T: serde::de::DeserializeOwned>(
        &self,
        tail: &str,
        expected: &'static str,
    ) -> Result<Option<T>, GraphError> {
        match self.transport.get(tail).await {
            Ok(answer) => Ok(Some(answer.json(expected)?)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_cannot_leave_its_quotes() {
        assert_eq!(beginning("s", " ", 5), "s&$top=5");
        let typed = beginning("s", "O'Brien') or (1 eq 1", 5_000);
        assert_eq!(
            typed,
            "s&$top=999&$filter=startswith(displayName,'O%27%27Brien%27%27%29%20or%20%281%20eq%201')"
        );
    }
}
