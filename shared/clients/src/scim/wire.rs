//! The JSON representation of SCIM users and groups.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::directory_sync::{Facts, Field, PlatformTeam, PlatformUser};
use serde::{Deserialize, Deserializer};

/// Maximum length of a text in characters, above any directory's. Longer texts are truncated: they
/// differ from the expected value in any case.
const LONGEST: usize = 1_024;

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((at, _)) => text[..at].to_owned(),
    }
}

/// Deserializes a missing, `null` or empty value as the default.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Page<T> {
    #[serde(rename = "totalResults")]
    pub(super) total: u64,
    #[serde(rename = "Resources", default, deserialize_with = "lenient")]
    pub(super) resources: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireUser {
    pub(super) id: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    user_name: String,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    name: Name,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    emails: Vec<Email>,
    #[serde(
        default,
        rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        deserialize_with = "lenient"
    )]
    enterprise: Enterprise,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Name {
    given_name: Option<String>,
    family_name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    #[serde(default)]
    value: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    primary: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Enterprise {
    department: Option<String>,
    manager: Option<Reference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reference {
    value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    last_modified: Option<String>,
}

impl Meta {
    /// Returns the modification time, if the service returns it in the standard format.
    pub(super) fn last_modified(&self) -> Option<DateTime<Utc>> {
        let moment = self.last_modified.as_deref()?;
        DateTime::parse_from_rfc3339(moment)
            .ok()
            .map(|it| it.to_utc())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireGroup {
    pub(super) id: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    display_name: String,
    #[serde(default, deserialize_with = "lenient")]
    members: Vec<Reference>,
    #[serde(
        default,
        rename = "urn:rollcall:scim:schemas:extension:2.0:Team",
        deserialize_with = "lenient"
    )]
    team: Team,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Team {
    #[serde(deserialize_with = "lenient")]
    supervisors: Vec<Reference>,
    #[serde(deserialize_with = "lenient")]
    archived: bool,
}

impl WireUser {
    /// Returns the work address, else the primary one, else the first one.
    fn email(&mut self) -> Option<String> {
        let is = |email: &Email, kind: &str| {
            email
                .kind
                .as_deref()
                .is_some_and(|it| it.eq_ignore_ascii_case(kind))
        };
        let work = self.emails.iter().position(|email| is(email, "work"));
        let primary = || {
            self.emails
                .iter()
                .position(|email| email.primary == Some(true))
        };
        let at = work.or_else(primary).unwrap_or(0);
        self.emails.get_mut(at)?.value.take()
    }

    pub(super) fn into_user(mut self) -> PlatformUser {
        let email = self.email();
        let manager = self.enterprise.manager.and_then(|it| it.value);
        let all = [
            (Field::Email, email),
            (Field::FirstName, self.name.given_name),
            (Field::LastName, self.name.family_name),
            (Field::DisplayName, self.display_name),
            (Field::JobTitle, self.title),
            (Field::Department, self.enterprise.department),
            (Field::Manager, manager),
        ];
        let known = all
            .into_iter()
            .filter_map(|(field, value)| Some((field, value?)));
        let known = known.map(|(field, value)| (field, cut(value)));
        let facts: Facts = known.filter(|(_, value)| !value.is_empty()).collect();
        let external = self.external_id.filter(|id| !id.trim().is_empty());
        let person = external.as_ref().and_then(|id| id.parse().ok());
        PlatformUser {
            person,
            foreign: external.is_some() && person.is_none(),
            user_name: cut(self.user_name),
            // An account not marked as inactive is considered active.
            active: self.active.unwrap_or(true),
            facts,
        }
    }
}

impl WireGroup {
    pub(super) fn into_team(self) -> PlatformTeam {
        let ids = |all: Vec<Reference>| -> BTreeSet<String> {
            all.into_iter().filter_map(|it| it.value).collect()
        };
        PlatformTeam {
            team: self.external_id.and_then(|id| id.parse().ok()),
            name: cut(self.display_name),
            members: ids(self.members),
            supervisors: ids(self.team.supervisors),
            archived: self.team.archived,
        }
    }
}
