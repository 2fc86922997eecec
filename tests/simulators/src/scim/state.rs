//! The state and behaviour of a SCIM service provider, for tests to read and edit.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The service provider of one tenant; the default is empty and supports everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScimState {
    /// Bearer token; `None` means the one returned by [`crate::TenantState::scim_token`].
    pub token: Option<String>,
    /// The supported features and limits.
    pub behaviour: ScimBehaviour,
    /// Users by id; ids sort in order of creation.
    pub users: BTreeMap<String, ScimResource>,
    /// Groups by id; ids sort in order of creation.
    pub groups: BTreeMap<String, ScimResource>,
    /// The latest `lastModified`; the next one is later.
    pub last_modified: Option<DateTime<Utc>>,
    /// Number of ids issued so far.
    pub issued: u64,
}

/// Settings of a SCIM service provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScimBehaviour {
    /// Whether PATCH is supported; otherwise it returns 501.
    pub patch: bool,
    /// Whether bulk requests are supported; otherwise they return 501.
    pub bulk: bool,
    /// Maximum operations of one bulk request.
    pub max_operations: usize,
    /// Maximum size of one bulk request in bytes.
    pub max_payload: usize,
    /// Whether lists can be filtered; otherwise a filter returns `invalidFilter`.
    pub filter: bool,
    /// Whether filters may use `meta.lastModified`.
    pub last_modified_filter: bool,
    /// Maximum resources per page.
    pub max_results: usize,
    /// Whether the enterprise extension is supported; otherwise its attributes are silently
    /// dropped.
    pub enterprise: bool,
    /// Whether our team extension is supported; otherwise its attributes are silently dropped.
    pub teams: bool,
    /// Whether resources have versions for `If-Match` and `If-None-Match`.
    pub etag: bool,
    /// Maximum requests per second; above it the service returns 429.
    pub requests_per_second: Option<u32>,
    /// Attributes silently dropped: `nickName`, `name.givenName` or `urn:…:User:department`.
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
    /// Attributes set by clients, by their schema names; extensions are objects under their URN.
    pub attributes: Map<String, Value>,
    /// Ids of a group's members, users or groups.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub last_modified: DateTime<Utc>,
    /// Number of its current version.
    pub version: u64,
}

impl ScimResource {
    /// Returns a text attribute of the core schema, e.g. `userName`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    /// Returns `active`, if it was ever set.
    pub fn active(&self) -> Option<bool> {
        self.attributes.get("active").and_then(Value::as_bool)
    }
}
