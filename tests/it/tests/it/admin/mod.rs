//! Administrators' work over HTTP, in process: real tokens, real state, and the code of the jobs.

mod choices;
mod document;
mod editing;
mod holds;
mod listing;
mod lock;
mod looking;
mod notifications;
mod permissions;
mod restoring;
mod runs;
mod settings;

use rollcall_domain::base::ids::ProfileId;
use serde_json::{Value, json};

use crate::harness::{Admin, Answer, in_city};

/// Returns a profile for all users in a city, as the editor sends it.
pub(crate) fn draft(title: &str, city: &str) -> Value {
    json!({
        "title": title,
        "description": format!("Everybody in {city}"),
        "enroll": true,
        "autoPopulate": true,
        "filter": {"properties": in_city(city)},
    })
}

/// Returns the draft with some fields changed.
pub(crate) fn with(mut draft: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else {
        panic!("the fields are not an object");
    };
    for (name, value) in fields {
        draft[name] = value;
    }
    draft
}

/// Creates a profile; returns its id and its tag.
pub(crate) async fn create(admin: &Admin, draft: Value) -> (ProfileId, String) {
    let answer = admin.post("/v1/profiles", draft).await.expect(201);
    (id_of(&answer), answer.header("etag").to_owned())
}

/// Returns the id of the profile in a response.
pub(crate) fn id_of(answer: &Answer) -> ProfileId {
    serde_json::from_value(answer.body["id"].clone()).expect("invalid id")
}

/// Returns the path of a profile.
pub(crate) fn path(id: ProfileId) -> String {
    format!("/v1/profiles/{id}")
}

/// Returns one field of every entry of a list.
pub(crate) fn column(list: &Value, name: &str) -> Vec<String> {
    let entries = list.as_array().expect("not a list").iter();
    let texts = entries.map(|entry| entry[name].as_str().expect("not a string").to_owned());
    texts.collect()
}
