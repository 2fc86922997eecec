//! Groups: created once by an immutable name, renamed, and restored instead of created again.

use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::GraphWriter;
use crate::graph::GraphError;
use crate::graph::transport::Call;
use crate::http::{Answer, ApiError, quoted};

/// The names of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSpec {
    /// The immutable alternate key that identifies the group and makes its creation
    /// idempotent.
    pub unique_name: String,
    /// The display name; at most 256 characters, need not be unique.
    pub display_name: String,
    /// The description; blank means none.
    pub description: String,
    /// At most 64 ASCII characters, none of `@()\[]";:<>,` or space.
    pub mail_nickname: String,
}

/// A group that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnsuredGroup {
    /// Its object id.
    pub id: ObjectId,
    /// True if this call created it. A call that was retried after a lost response reports
    /// `false` for a group that its first attempt created.
    pub created: bool,
}

impl GraphWriter {
    /// Creates the security group `unique_name` or, if it exists, updates its names.
    /// Idempotent: the alternate key prevents a second group.
    pub async fn ensure_group(&self, spec: &GroupSpec) -> Result<EnsuredGroup, GraphError> {
        let tail = format!("/v1.0/groups(uniqueName={})", quoted(&spec.unique_name));
        let mut body = json!({
            "displayName": spec.display_name,
            "mailEnabled": false,
            "mailNickname": spec.mail_nickname,
            "securityEnabled": true,
        });
        if !spec.description.trim().is_empty() {
            // Graph rejects an empty description.
            body["description"] = json!(spec.description);
        }
        let answer = self
            .transport()
            .call(&Call {
                method: Method::PATCH,
                tail: &tail,
                body: Some(&body),
                prefer: Some("create-if-missing"),
                eventual: false,
                batch: None,
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

    /// Returns the id of the group with an alternate key. The key may not be visible yet for a group
    /// that was just created, so a 404 is retried.
    ///
    /// The group is read by its key, which is documented
    /// (<https://learn.microsoft.com/graph/api/group-get>); a filter on the key is not.
    async fn id_of(&self, unique_name: &str) -> Result<ObjectId, GraphError> {
        let name = quoted(unique_name);
        let tail = format!("/v1.0/groups(uniqueName={name})?$select=id");
        let policy = self.transport().http.retry();
        let mut tried = 0;
        loop {
            let error = match self.transport().get(&tail).await {
                Ok(answer) => return Ok(created_id(&answer)?),
                Err(error) => error,
            };
            tried += 1;
            let pause = policy.pause(tried);
            let give_up = tried >= policy.tries || error.status() != Some(404);
            if give_up || !policy.may_wait(pause, self.transport().deadline) {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Updates the names of a group; a blank description removes it.
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
        self.transport()
            .call(&Call {
                method: Method::PATCH,
                tail: &tail,
                body,
                prefer: None,
                eventual: false,
                batch: None,
            })
            .await?;
        Ok(())
    }

    /// Restores a deleted group with its id, so that its enrolments in the learning platform
    /// remain (C-50).
    pub async fn restore_group(&self, id: ObjectId) -> Result<(), GraphError> {
        let tail = format!("/v1.0/directory/deletedItems/{id}/restore");
        self.transport()
            .call(&Call {
                method: Method::POST,
                tail: &tail,
                body: None,
                prefer: None,
                eventual: false,
                batch: None,
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
        .json::<Identified>("a group")
        .map(|group| ObjectId::new(group.id))
}
