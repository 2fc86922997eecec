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

    /// Returns the id of the group with an alternate key. The index may lag behind a group
    /// that was just created, so an empty response is retried.
    async fn id_of(&self, unique_name: &str) -> Result<ObjectId, GraphError> {
        #[derive(Deserialize)]
        struct FoundGroup {
            value: Vec<Identified>,
        }
        let name = quoted(unique_name);
        let tail = format!("/v1.0/groups?$filter=uniqueName%20eq%20{name}&$select=id");
        let policy = self.transport().http.retry();
        let mut tried = 0;
        loop {
            let answer = self.transport().get(&tail).await?;
            let found: FoundGroup = answer.json("a list of groups")?;
            if let Some(group) = found.value.first() {
                return Ok(ObjectId::new(group.id));
            }
            tried += 1;
            let pause = policy.pause(tried);
            if tried >= policy.tries || !policy.may_wait(pause, self.transport().deadline) {
                let detail = "no group has the unique name that was just written".into();
                return Err(answer.not("a list with one group", detail).into());
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
