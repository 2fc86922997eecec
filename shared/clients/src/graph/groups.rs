//! Groups: made once by an immutable name, looked up in bulk, restored rather than made anew.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use reqwest::Method;
use rollcall_domain::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::Part;
use super::transport::Call;
use super::{Graph, GraphError};
use crate::http::{Answer, ApiError, position, quoted};

/// What a group should be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSpec {
    /// The immutable alternate key by which the group is found again; makes creation repeatable.
    pub unique_name: String,
    /// The name people see; at most 256 characters, need not be unique.
    pub display_name: String,
    /// What the group is for; blank means none.
    pub description: String,
    /// At most 64 ASCII characters, none of `@()\[]";:<>,` or space.
    pub mail_nickname: String,
}

/// A group that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnsuredGroup {
    /// Its object id.
    pub id: ObjectId,
    /// Whether this call made it. A call that was repeated after a lost answer
    /// says `false` of a group that its first try made.
    pub created: bool,
}

/// A group, or the knowledge that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupLookup {
    /// It exists.
    Found(GroupFacts),
    /// There is no such group (it may be among the deleted ones).
    Missing,
}

/// What a group is, as far as it matters for writing its members.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent facts, as Graph states them"
)]
pub struct GroupFacts {
    /// Its object id.
    pub id: ObjectId,
    /// The name people see.
    pub display_name: String,
    /// What it is for.
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
    /// Why the group's members cannot be managed through Graph, if so.
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

/// A group that was deleted and can still be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedGroup {
    /// Its object id, the same after a restore.
    pub id: ObjectId,
    /// The name people saw.
    pub display_name: String,
    /// When it was deleted; it is restorable for 30 days.
    pub deleted_at: Option<DateTime<Utc>>,
}

const FACTS: &str = "id,displayName,description,uniqueName,groupTypes,mailEnabled,\
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

impl Graph {
    /// Makes the security group `unique_name` or, if it exists, gives it these
    /// names. Repeatable: the alternate key makes a second group impossible.
    pub async fn ensure_group(&self, spec: &GroupSpec) -> Result<EnsuredGroup, GraphError> {
        let tail = format!("/v1.0/groups(uniqueName={})", quoted(&spec.unique_name));
        let mut body = json!({
            "displayName": spec.display_name,
            "mailEnabled": false,
            "mailNickname": spec.mail_nickname,
            "securityEnabled": true,
        });
        if !spec.description.trim().is_empty() {
            // Graph refuses an empty description.
            body["description"] = json!(spec.description);
        }
        let answer = self
            .call(&Call {
                method: Method::PATCH,
                tail: &tail,
                body: Some(&body),
                prefer: Some("create-if-missing"),
            })
            .await?;
        if answer.status == 201 {
            return Ok(EnsuredGroup {
                id: created_id(&answer)?,
                created: true,
            });
        }
        Ok(EnsuredGroup {
            id: self.id_of(&spec.unique_name).await?,
            created: false,
        })
    }

    /// The id behind an alternate key. The index that answers may lag behind a
    /// group made moments ago, so an empty answer is asked for again.
    async fn id_of(&self, unique_name: &str) -> Result<ObjectId, GraphError> {
        #[derive(Deserialize)]
        struct Found {
            value: Vec<Identified>,
        }
        let name = quoted(unique_name);
        let tail = format!("/v1.0/groups?$filter=uniqueName%20eq%20{name}&$select=id");
        let policy = self.http.retry();
        let mut tried = 0;
        loop {
            let answer = self.get(&tail).await?;
            let found: Found = answer.json("a list of groups")?;
            if let Some(group) = found.value.first() {
                return Ok(ObjectId::new(group.id));
            }
            tried += 1;
            let pause = policy.pause(tried);
            if tried >= policy.tries || !policy.may_wait(pause, self.deadline) {
                let detail = "no group has the unique name that was just written".into();
                return Err(answer.not("a list with one group", detail).into());
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks groups up, twenty to a request. Every id asked for is in the answer.
    pub async fn get_groups(
        &self,
        ids: &[ObjectId],
    ) -> Result<BTreeMap<ObjectId, GroupLookup>, GraphError> {
        let ids: Vec<ObjectId> = ids
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let parts: Vec<Part> = ids
            .iter()
            .map(|id| Part::get(format!("/groups/{id}?$select={FACTS}")))
            .collect();
        let answers = self.read_parts(&parts).await?;
        let mut found = BTreeMap::new();
        for (id, answer) in ids.into_iter().zip(answers) {
            found.insert(id, lookup(id, answer)?);
        }
        Ok(found)
    }

    /// Gives a group new names; a blank description removes it.
    pub async fn update_group(
        &self,
        id: ObjectId,
        display_name: &str,
        description: &str,
    ) -> Result<(), GraphError> {
        let tail = format!("/v1.0/groups/{id}");
        let described = Some(description).filter(|text| !text.trim().is_empty());
        let body = json!({ "displayName": display_name, "description": described });
        let body = Some(&body);
        self.call(&Call {
            method: Method::PATCH,
            tail: &tail,
            body,
            prefer: None,
        })
        .await?;
        Ok(())
    }

    /// Finds a group among the deleted ones (C-50).
    pub async fn find_deleted_group(
        &self,
        id: ObjectId,
    ) -> Result<Option<DeletedGroup>, GraphError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Deleted {
            display_name: Option<String>,
            deleted_date_time: Option<DateTime<Utc>>,
        }
        let tail = format!("/v1.0/directory/deletedItems/{id}");
        let answer = match self.get(&tail).await {
            Err(error) if error.status() == Some(404) => return Ok(None),
            other => other?,
        };
        let found: Deleted = answer.json("a deleted group")?;
        let display_name = found.display_name.unwrap_or_default();
        Ok(Some(DeletedGroup {
            id,
            display_name,
            deleted_at: found.deleted_date_time,
        }))
    }

    /// Restores a deleted group with its id, so that its enrolments in the
    /// learning platform hold on (C-50).
    pub async fn restore_group(&self, id: ObjectId) -> Result<(), GraphError> {
        let tail = format!("/v1.0/directory/deletedItems/{id}/restore");
        self.call(&Call {
            method: Method::POST,
            tail: &tail,
            body: None,
            prefer: None,
        })
        .await?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct Identified {
    id: Uuid,
}

fn created_id(answer: &Answer) -> Result<ObjectId, ApiError> {
    answer
        .json::<Identified>("the group that was made")
        .map(|group| ObjectId::new(group.id))
}

fn lookup(id: ObjectId, answer: Result<Value, ApiError>) -> Result<GroupLookup, ApiError> {
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
    use super::*;

    fn facts(json: Value) -> GroupFacts {
        let wire: WireGroup = serde_json::from_value(json).expect("a group");
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
