//! Converts a write into a request: a resource to create, or changes to an existing one.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::directory_sync::{
    ChangeSubject, Facts, Features, Field, Operation, TargetReplica, TeamChanges, TeamKey, Write,
};
use serde_json::{Value, json};

use super::patch::{ARCHIVED, DEPARTMENT, Edit, Email, MANAGER, MEMBERS, SUPERVISORS};
use super::read::{GROUPS, USERS};
use super::{GROUP, TEAM, USER};

/// Maximum operations per patch, and users per operation: services load patches completely, and
/// large ones take seconds.
pub(super) const OPERATIONS: usize = 100;
/// Maximum members in the request that creates a team; the others are added afterwards.
const FIRST_MEMBERS: usize = 1_000;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// Creates a resource.
    Create {
        path: &'static str,
        external: String,
        body: Value,
        then: Vec<Edit>,
    },
    /// Changes a resource.
    Change { path: String, edits: Vec<Edit> },
}

/// Returns the request of a write; `None` if a user it refers to does not exist yet.
pub(super) fn request(
    write: &Write,
    replica: &TargetReplica,
    features: Features,
    language: &str,
) -> Option<Request> {
    let change = |path: &str, key: &str, edits| {
        let path = format!("{path}/{}", segment(key));
        Some(Request::Change { path, edits })
    };
    match (&write.operation, write.subject) {
        (Operation::CreateUser { facts }, ChangeSubject::User(person)) => {
            new_user(person, facts, replica, language)
        }
        (
            Operation::SetUser {
                user,
                facts,
                active,
                link,
            },
            ChangeSubject::User(person),
        ) => {
            let mut edits = user_edits(facts, *active, replica)?;
            if *link {
                edits.insert(0, Edit::Set(&["externalId"], json!(person)));
            }
            change(USERS, user, edits)
        }
        (Operation::SetManager { manager }, ChangeSubject::User(person)) => {
            let (user, manager) = (replica.key(person)?, manager.to_string());
            change(
                USERS,
                user,
                field_edits(Field::Manager, Some(&manager), replica)?,
            )
        }
        (
            Operation::CreateTeam {
                name,
                members,
                supervisors,
            },
            ChangeSubject::Team(team),
        ) => {
            // Users that could not be created are missing; the next run adds them.
            let ids = |people: &BTreeSet<ObjectId>| -> Vec<String> {
                let keys = people.iter().filter_map(|person| replica.key(*person));
                keys.map(str::to_owned).collect()
            };
            let supervisors = features.supervisors.then(|| ids(supervisors));
            Some(new_team(team, name, ids(members), supervisors))
        }
        (Operation::SetTeam { team, set }, _) => {
            change(GROUPS, team, team_edits(set, replica, features))
        }
        _ => None,
    }
}

fn new_user(
    person: ObjectId,
    facts: &Facts,
    replica: &TargetReplica,
    language: &str,
) -> Option<Request> {
    let mut body = json!({
        "schemas": [USER],
        "externalId": person,
        "active": true,
        "preferredLanguage": language,
    });
    for (field, value) in facts {
        for edit in field_edits(*field, Some(value), replica)? {
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

/// Everything except RFC 3986's unreserved characters: services compare the paths of bulk requests
/// without decoding them, so the hyphens of an id must not be encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a service's id as a path segment.
pub(super) fn segment(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
}

fn user_edits(
    facts: &BTreeMap<Field, Option<String>>,
    active: Option<bool>,
    replica: &TargetReplica,
) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    for (field, value) in facts {
        edits.extend(field_edits(*field, value.as_ref(), replica)?);
    }
    edits.extend(active.map(|active| Edit::Set(&["active"], json!(active))));
    Some(edits)
}

fn field_edits(field: Field, value: Option<&String>, replica: &TargetReplica) -> Option<Vec<Edit>> {
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
            Edit::Set(names, json!({"value": replica.key(manager.parse().ok()?)?}))
        }
        Some(value) => Edit::Set(names, json!(value)),
    }])
}

/// Returns the changes of a team. Members that do not exist yet are left to the next run.
fn team_edits(set: &TeamChanges, replica: &TargetReplica, features: Features) -> Vec<Edit> {
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
            .filter_map(|member| replica.member(member))
            .collect();
        edits.extend(
            add.chunks(FIRST_MEMBERS)
                .map(|ids| Edit::Add(names, ids.to_vec())),
        );
        let remove = remove.iter().filter_map(|member| replica.member(member));
        edits.extend(remove.map(|id| Edit::Remove(names, id)));
    }
    edits
}

/// Returns a patch request (RFC 7644, section 3.5.2).
pub(super) fn patch(edits: &[Edit], email: Email) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": edits.iter().map(|edit| edit.operation(email)).collect::<Vec<_>>(),
    })
}
