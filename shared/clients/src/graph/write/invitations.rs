//! Invitations to guests from other directories.

use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::GraphWriter;
use crate::graph::GraphError;
use crate::graph::transport::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invitation {
    invited_user: Invited,
}

#[derive(Deserialize)]
struct Invited {
    id: Uuid,
}

impl GraphWriter {
    /// Invites an external user as a guest; Microsoft sends the invitation. An address that
    /// is a guest already is invited again under the same id.
    /// <https://learn.microsoft.com/graph/api/invitation-post>
    pub async fn invite_guest(&self, address: &str, back: &str) -> Result<ObjectId, GraphError> {
        let body = json!({
            "invitedUserEmailAddress": address,
            "inviteRedirectUrl": back,
            "sendInvitationMessage": true,
        });
        let answer = self
            .transport()
            .call(&Call {
                method: Method::POST,
                tail: "/v1.0/invitations",
                body: Some(&body),
                prefer: None,
                eventual: false,
                batch: None,
            })
            .await?;
        let invitation: Invitation = answer.json("an invitation")?;
        Ok(ObjectId::new(invitation.invited_user.id))
    }
}
