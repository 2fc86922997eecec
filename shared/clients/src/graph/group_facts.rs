//! The properties of a group, and whether its members can be managed.

use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::http::{ApiError, position};

/// The result of a group look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupLookup {
    /// It exists.
    Found(GroupFacts),
    /// The group does not exist, or was deleted.
    Missing,
    /// The look-up failed; the reason is a clause for the report.
    Unreadable(String),
}

/// The properties of a group that matter for writing its members.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent properties, as defined by Graph"
)]
pub struct GroupFacts {
    /// Its object id.
    pub id: ObjectId,
    /// The display name.
    pub display_name: String,
    /// The description.
    pub description: Option<String>,
    /// The immutable alternate key, if it has one.
    pub unique_name: Option<String>,
    /// Entra computes its members from a rule.
    pub dynamic: bool,
    /// It comes from an on-premises directory.
    pub on_premises_synced: bool,
    /// It is a distribution list or mail-enabled security group of Exchange.
    pub mail_enabled_distribution: bool,
    /// Directory roles can be assigned to it.
    pub role_assignable: bool,
    /// It is in a restricted management administrative unit.
    pub management_restricted: bool,
}

impl GroupFacts {
    /// Returns the reason why the group's members cannot be managed through Graph, if any.
    pub fn unsupported(&self) -> Option<&'static str> {
        let reasons = [
            (
                self.dynamic,
                "Entra computes the group's members from a rule",
            ),
            (
                self.on_premises_synced,
                "the group is synchronised from an on-premises directory",
            ),
            (
                self.mail_enabled_distribution,
                "the group is a mail-enabled security group or distribution list, which Exchange manages",
            ),
            (
                self.role_assignable,
                "directory roles can be assigned to the group",
            ),
            (
                self.management_restricted,
                "the group is in a restricted management administrative unit",
            ),
        ];
        reasons
            .into_iter()
            .find_map(|(applies, reason)| applies.then_some(reason))
    }
}

/// The properties to request.
pub(super) const FACTS: &str = "id,displayName,description,uniqueName,groupTypes,mailEnabled,\
                     onPremisesSyncEnabled,isAssignableToRole,isManagementRestricted";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGroup {
    id: Uuid,
    display_name: Option<String>,
    description: Option<String>,
    unique_name: Option<String>,
    group_types: Option<Vec<String>>,
    mail_enabled: Option<bool>,
    on_premises_sync_enabled: Option<bool>,
    is_assignable_to_role: Option<bool>,
    is_management_restricted: Option<bool>,
}

impl From<WireGroup> for GroupFacts {
    fn from(wire: WireGroup) -> Self {
        let types = wire.group_types.unwrap_or_default();
        let is = |wanted: &str| types.iter().any(|kind| kind.eq_ignore_ascii_case(wanted));
        Self {
            id: ObjectId::new(wire.id),
            display_name: wire.display_name.unwrap_or_default(),
            description: wire.description,
            unique_name: wire.unique_name,
            dynamic: is("DynamicMembership"),
            on_premises_synced: wire.on_premises_sync_enabled.unwrap_or(false),
            mail_enabled_distribution: wire.mail_enabled.unwrap_or(false) && !is("Unified"),
            role_assignable: wire.is_assignable_to_role.unwrap_or(false),
            management_restricted: wire.is_management_restricted.unwrap_or(false),
        }
    }
}

/// Reads the response to a look-up; only a 404 means that the group is missing.
pub(super) fn lookup(
    id: ObjectId,
    answer: Result<Value, ApiError>,
) -> Result<GroupLookup, ApiError> {
    let body = match answer {
        Err(error) if error.status() == Some(404) => return Ok(GroupLookup::Missing),
        other => other?,
    };
    let wire = WireGroup::deserialize(&body).map_err(|error| ApiError::Decode {
        method: "GET",
        path: format!("/v1.0/groups/{id}"),
        expected: "a group",
        detail: position(&error),
    })?;
    Ok(GroupLookup::Found(wire.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(json: Value) -> GroupFacts {
        let wire: WireGroup = serde_json::from_value(json).expect("no group");
        wire.into()
    }

    #[test]
    fn a_plain_security_group_is_supported() {
        let plain = facts(json!({ "id": Uuid::nil(), "groupTypes": [], "mailEnabled": false }));
        assert_eq!(plain.unsupported(), None);
        let team =
            facts(json!({ "id": Uuid::nil(), "groupTypes": ["Unified"], "mailEnabled": true }));
        assert_eq!(team.unsupported(), None);
    }

    #[test]
    fn every_unmanageable_kind_says_why() {
        for (property, value, word) in [
            ("groupTypes", json!(["DynamicMembership"]), "rule"),
            ("onPremisesSyncEnabled", json!(true), "on-premises"),
            ("mailEnabled", json!(true), "Exchange"),
            ("isAssignableToRole", json!(true), "roles"),
            ("isManagementRestricted", json!(true), "restricted"),
        ] {
            let group = facts(json!({ "id": Uuid::nil(), property: value }));
            let reason = group.unsupported().unwrap_or_default();
            assert!(reason.contains(word), "{property}: {reason:?}");
        }
    }
}
