//! Makes single changes: each can be repeated, and one that was already made is told as such.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use rollcall_domain::directory::{
    Deed, Facts, Features, Field, Mirror, Subject, TeamChanges, TeamKey, Write,
};
use rollcall_domain::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit::{ARCHIVED, DEPARTMENT, Edit, Email, MANAGER, MEMBERS, SUPERVISORS};
use super::read::{GROUPS, USERS};
use super::{Described, GROUP, Scim, TEAM, USER};
use crate::http::ApiError;

/// Operations of one patch, and people of one operation: services read patches
/// whole, and large ones take them seconds.
pub(super) const OPERATIONS: usize = 100;
/// People a team is created with; the others join afterwards.
const FIRST_MEMBERS: usize = 1_000;

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was made; the service's id of what it created.
    Done(Option<String>),
    /// Somebody it names is not there, since another write failed before it.
    Waits,
}

/// One request as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// A resource is created.
    Create {
        path: &'static str,
        external: String,
        body: Value,
        then: Vec<Edit>,
    },
    /// A resource is changed.
    Change { path: String, edits: Vec<Edit> },
}

/// What a write asks of the service; `None` while somebody it names is not there.
pub(super) fn request(
    write: &Write,
    mirror: &Mirror,
    features: Features,
    language: &str,
) -> Option<Request> {
    let change = |path: &str, key: &str, edits| {
        let path = format!("{path}/{}", segment(key));
        Some(Request::Change { path, edits })
    };
    match (&write.deed, write.subject) {
        (Deed::CreateUser { facts }, Subject::User(person)) => {
            new_user(person, facts, mirror, language)
        }
        (
            Deed::SetUser {
                user,
                facts,
                active,
                link,
            },
            Subject::User(person),
        ) => {
            let mut edits = user_edits(facts, *active, mirror)?;
            if *link {
                edits.insert(0, Edit::Set(&["externalId"], json!(person)));
            }
            change(USERS, user, edits)
        }
        (Deed::SetManager { manager }, Subject::User(person)) => {
            let (user, manager) = (mirror.key(person)?, manager.to_string());
            change(
                USERS,
                user,
                field_edits(Field::Manager, Some(&manager), mirror)?,
            )
        }
        (
            Deed::CreateTeam {
                name,
                members,
                supervisors,
            },
            Subject::Team(team),
        ) => {
            // Those who could not be created are missing; the next run adds them.
            let ids = |people: &BTreeSet<ObjectId>| -> Vec<String> {
                let keys = people.iter().filter_map(|person| mirror.key(*person));
                keys.map(str::to_owned).collect()
            };
            let supervisors = features.supervisors.then(|| ids(supervisors));
            Some(new_team(team, name, ids(members), supervisors))
        }
        (Deed::SetTeam { team, set }, _) => change(GROUPS, team, team_edits(set, mirror, features)),
        _ => None,
    }
}

fn new_user(person: ObjectId, facts: &Facts, mirror: &Mirror, language: &str) -> Option<Request> {
    let mut body = json!({
        "schemas": [USER],
        "externalId": person,
        "active": true,
        "preferredLanguage": language,
    });
    for (field, value) in facts {
        for edit in field_edits(*field, Some(value), mirror)? {
            edit.apply(&mut body);
        }
    }
    Some(Request::Create {
        path: USERS,
        external: person.to_string(),
        body,
        then: Vec::new(),
    })
}

fn new_team(
    team: TeamKey,
    name: &str,
    mut members: Vec<String>,
    supervisors: Option<Vec<String>>,
) -> Request {
    let rest = members.split_off(members.len().min(FIRST_MEMBERS));
    let values: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let mut body = json!({
        "schemas": [GROUP],
        "externalId": team.to_string(),
        "displayName": name,
        "members": values,
    });
    if let Some(supervisors) = supervisors {
        Edit::Add(SUPERVISORS, supervisors).apply(&mut body);
        body["schemas"] = json!([GROUP, TEAM]);
    }
    let then = rest.chunks(FIRST_MEMBERS);
    Request::Create {
        path: GROUPS,
        external: team.to_string(),
        body,
        then: then.map(|ids| Edit::Add(MEMBERS, ids.to_vec())).collect(),
    }
}

/// A service's id as a part of a path.
fn segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn user_edits(
    facts: &BTreeMap<Field, Option<String>>,
    active: Option<bool>,
    mirror: &Mirror,
) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    for (field, value) in facts {
        edits.extend(field_edits(*field, value.as_ref(), mirror)?);
    }
    edits.extend(active.map(|active| Edit::Set(&["active"], json!(active))));
    Some(edits)
}

fn field_edits(field: Field, value: Option<&String>, mirror: &Mirror) -> Option<Vec<Edit>> {
    let names: &'static [&'static str] = match field {
        Field::Email => {
            let address = value?;
            let name = Edit::Set(&["userName"], json!(address));
            return Some(vec![name, Edit::WorkEmail(address.clone())]);
        }
        Field::FirstName => &["name", "givenName"],
        Field::LastName => &["name", "familyName"],
        Field::DisplayName => &["displayName"],
        Field::JobTitle => &["title"],
        Field::Department => DEPARTMENT,
        Field::Manager => MANAGER,
    };
    Some(vec![match value {
        None => Edit::Clear(names),
        Some(manager) if field == Field::Manager => {
            Edit::Set(names, json!({"value": mirror.key(manager.parse().ok()?)?}))
        }
        Some(value) => Edit::Set(names, json!(value)),
    }])
}

/// Members who are not there yet are left to the next run.
fn team_edits(set: &TeamChanges, mirror: &Mirror, features: Features) -> Vec<Edit> {
    let mut edits = Vec::new();
    edits.extend(
        set.name
            .as_ref()
            .map(|name| Edit::Set(&["displayName"], json!(name))),
    );
    if features.supervisors {
        edits.extend(
            set.archived
                .map(|archived| Edit::Set(ARCHIVED, json!(archived))),
        );
    }
    let lists = [
        (MEMBERS, &set.add, &set.remove, true),
        (
            SUPERVISORS,
            &set.add_supervisors,
            &set.remove_supervisors,
            features.supervisors,
        ),
    ];
    for (names, add, remove, _) in lists.into_iter().filter(|(.., is_kept)| *is_kept) {
        let add: Vec<String> = add
            .iter()
            .filter_map(|member| mirror.member(member))
            .collect();
        edits.extend(
            add.chunks(FIRST_MEMBERS)
                .map(|ids| Edit::Add(names, ids.to_vec())),
        );
        let remove = remove.iter().filter_map(|member| mirror.member(member));
        edits.extend(remove.map(|id| Edit::Remove(names, id)));
    }
    edits
}

/// A patch (RFC 7644, section 3.5.2).
pub(super) fn patch(edits: &[Edit], email: Email) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": edits.iter().map(|edit| edit.operation(email)).collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

impl Scim {
    /// Makes one change. `mirror` is the platform as it is known by now.
    pub async fn write(
        &self,
        write: &Write,
        mirror: &Mirror,
        described: &Described,
        language: &str,
    ) -> Result<Written, ApiError> {
        self.write_in_doubt(write, mirror, described, language, false)
            .await
    }

    /// The same; `in_doubt` says that it may have been made before.
    pub(super) async fn write_in_doubt(
        &self,
        write: &Write,
        mirror: &Mirror,
        described: &Described,
        language: &str,
        in_doubt: bool,
    ) -> Result<Written, ApiError> {
        match request(write, mirror, described.features, language) {
            None => Ok(Written::Waits),
            Some(Request::Change { path, edits }) => {
                self.edit(&path, &edits, described).await?;
                Ok(Written::Done(None))
            }
            Some(Request::Create {
                path,
                external,
                body,
                then,
            }) => {
                let known = if in_doubt && described.filter {
                    self.find(path, &external).await?
                } else {
                    None
                };
                let id = match known {
                    Some(id) => id,
                    None => self.create(path, &external, &body, described).await?,
                };
                self.edit(&format!("{path}/{}", segment(&id)), &then, described)
                    .await?;
                Ok(Written::Done(Some(id)))
            }
        }
    }

    /// Creates a resource once: when nobody knows whether it was, it is looked for.
    async fn create(
        &self,
        path: &str,
        external: &str,
        body: &Value,
        described: &Described,
    ) -> Result<String, ApiError> {
        let policy = self.http.retry();
        let mut tried = 0;
        loop {
            let error = match self.change_once(Method::POST, path, body).await {
                Ok(answer) => return Ok(answer.json::<Created>("a resource with its id")?.id),
                Err(error) => error,
            };
            tried += 1;
            let is_conflict = error.status() == Some(409);
            if !(described.filter && (is_conflict || error.is_transient())) {
                return Err(error);
            }
            if let Some(id) = self.find(path, external).await? {
                return Ok(id);
            }
            let pause = policy.pause(tried);
            if is_conflict || tried >= policy.tries || !policy.may_wait(pause, self.deadline) {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn edit(
        &self,
        path: &str,
        edits: &[Edit],
        described: &Described,
    ) -> Result<(), ApiError> {
        if !described.patch {
            return self.replace(path, edits).await;
        }
        for edits in edits.chunks(OPERATIONS) {
            let sent = self
                .change(Method::PATCH, path, &patch(edits, Email::Replace))
                .await;
            match sent {
                // Patches are made whole or not at all, so this one may be sent again.
                Err(error) if error.status() == Some(400) && has_email(edits) => {
                    self.change(Method::PATCH, path, &patch(edits, Email::Add))
                        .await?;
                }
                other => _ = other?,
            }
        }
        Ok(())
    }

    /// Replaces the whole resource as it is now, with the differences in it.
    async fn replace(&self, path: &str, edits: &[Edit]) -> Result<(), ApiError> {
        if edits.is_empty() {
            return Ok(());
        }
        let mut resource: Value = self.get(path).await?.json("a resource")?;
        for edit in edits {
            edit.apply(&mut resource);
        }
        self.change(Method::PUT, path, &resource).await.map(|_| ())
    }
}

fn has_email(edits: &[Edit]) -> bool {
    edits.iter().any(|edit| matches!(edit, Edit::WorkEmail(_)))
}
