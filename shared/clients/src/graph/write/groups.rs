//! Groups: made once by an immutable name, renamed, and restored rather than made a second time.

use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::GraphWriter;
use crate::graph::GraphError;
use crate::graph::transport::Call;
use crate::http::{Answer, ApiError, quoted};

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

impl GraphWriter {
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

    /// The id behind an alternate key. The index that answers may lag behind a
    /// group made moments ago, so an empty answer is asked for again.
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

    /// Restores a deleted group with its id, so that its enrolments in the
    /// learning platform hold on (C-50).
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
