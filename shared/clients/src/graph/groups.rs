//! Looks up groups, in bulk or among the deleted ones.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;

use super::batch_part::Part;
use super::group_facts::{FACTS, GroupLookup, lookup};
use super::{GraphError, GraphReader};

/// A group that was deleted and can still be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedGroup {
    /// Its object id, the same after a restore.
    pub id: ObjectId,
    /// The display name.
    pub display_name: String,
    /// The time of its deletion; it is restorable for 30 days.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl GraphReader {
    /// Looks up groups, twenty per request. The result contains every requested id.
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
        let answers = self.transport.read_parts(&parts).await?;
        let mut found = BTreeMap::new();
        for (id, answer) in ids.into_iter().zip(answers) {
            // The error of one group does not affect the others.
            let looked_up = lookup(id, answer);
            found.insert(
                id,
                looked_up.unwrap_or_else(|error| GroupLookup::Unreadable(error.to_string())),
            );
        }
        Ok(found)
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
        let answer = match self.transport.get(&tail).await {
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
}
