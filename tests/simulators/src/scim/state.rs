//! What a SCIM service provider holds, and how it behaves, as tests read and edit it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The service provider of one tenant; the default is empty and can do everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScimState {
    /// Bearer token; `None` means the one that [`crate::TenantState::scim_token`] derives.
    pub token: Option<String>,
    /// What the service can do and how well.
    pub behaviour: ScimBehaviour,
    /// Users by id; ids sort in order of creation.
    pub users: BTreeMap<String, ScimResource>,
    /// Groups by id; ids sort in order of creation.
    pub groups: BTreeMap<String, ScimResource>,
    /// The latest `lastModified` given; the next one is later.
    pub last_modified: Option<DateTime<Utc>>,
    /// Ids given so far.
    pub issued: u64,
}

/// Knobs of a SCIM service provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScimBehaviour {
    /// PATCH is there; otherwise it is answered with 501.
    pub patch: bool,
    /// Bulk requests are there; otherwise they are answered with 501.
    pub bulk: bool,
    /// Operations of one bulk request.
    pub max_operations: usize,
    /// Bytes of one bulk request.
    pub max_payload: usize,
    /// Lists can be filtered; otherwise a filter is refused as `invalidFilter`.
    pub filter: bool,
    /// Filters may name `meta.lastModified`.
    pub last_modified_filter: bool,
    /// Resources on one page of a list.
    pub max_results: usize,
    /// The enterprise extension of users is there; otherwise its attributes vanish silently.
    pub enterprise: bool,
    /// Our team extension of groups is there; otherwise its attributes vanish silently.
    pub teams: bool,
    /// Resources have versions, which `If-Match` and `If-None-Match` compare.
    pub etag: bool,
    /// Requests in any second, beyond which 429 is answered.
    pub requests_per_second: Option<u32>,
    /// Attributes that vanish silently: `nickName`, `name.givenName` or `urn:…:User:department`.
    pub drops: Vec<String>,
}

impl Default for ScimBehaviour {
    fn default() -> Self {
        Self {
            patch: true,
            bulk: true,
            max_operations: 100,
            max_payload: 1_048_576,
            filter: true,
            last_modified_filter: true,
            max_results: 200,
            enterprise: true,
            teams: true,
            etag: true,
            requests_per_second: None,
            drops: Vec::new(),
        }
    }
}

/// A user or group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScimResource {
    /// What clients gave, by the names in the schemas; extensions are objects under their URN.
    pub attributes: Map<String, Value>,
    /// Ids of a group's members, users or groups.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub last_modified: DateTime<Utc>,
    /// Number of its versions.
    pub version: u64,
}

impl ScimResource {
    /// A text among the attributes of the core schema, e.g. `userName`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    /// `active`, if it was ever said.
    pub fn active(&self) -> Option<bool> {
        self.attributes.get("active").and_then(Value::as_bool)
    }
}
