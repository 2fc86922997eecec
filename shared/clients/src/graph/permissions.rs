//! Which application permissions work, found out by requests that read nothing of anybody and cannot write.
//!
//! The requests and what their answers prove are argued in decision 0011.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::transport::Call;
use super::{GraphError, GraphReader};
use crate::http::{ApiError, within};

/// What a request says about the permission it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grant {
    /// What the permission allows is allowed, by it or by a wider one.
    Works,
    /// Graph refuses it for want of the permission.
    Missing,
    /// The answer says neither; the reason is a sentence.
    Unknown(String),
}

/// What the three needed permissions come to.
#[derive(Debug)]
pub(super) struct Grants {
    /// `User.Read.All`.
    pub(super) users: Grant,
    /// `Group.ReadWrite.All`.
    pub(super) groups: Grant,
    /// `GroupMember.ReadWrite.All`.
    pub(super) members: Grant,
}

/// An object id that Entra gives to nothing, so that no write reaches anything.
const NOTHING: Uuid = Uuid::nil();

impl GraphReader {
    /// Tries all three at once.
    pub(super) async fn grants(&self) -> Grants {
        let (users, groups, members) = tokio::join!(
            self.users_grant(),
            self.groups_grant(),
            self.members_grant()
        );
        Grants {
            users,
            groups,
            members,
        }
    }

    /// Asks for the changes of users from now on: the answer is a link and no
    /// user, and `User.Read.All` is the least permission that gets it.
    async fn users_grant(&self) -> Grant {
        let tail = "/v1.0/users/delta?$deltaToken=latest&$select=id";
        self.grant(Method::GET, tail, None, |_| false).await
    }

    /// Renames a group that cannot exist. By object id this never creates one.
    async fn groups_grant(&self) -> Grant {
        let tail = format!("/v1.0/groups/{NOTHING}");
        let body = json!({ "displayName": "Rollcall connection test" });
        self.grant(Method::PATCH, &tail, Some(&body), is_absent)
            .await
    }

    /// Adds somebody who cannot exist to a group that cannot exist.
    async fn members_grant(&self) -> Grant {
        let tail = format!("/v1.0/groups/{NOTHING}/members/$ref");
        let nobody = format!("/v1.0/directoryObjects/{NOTHING}");
        let body = json!({ "@odata.id": self.transport.base.join(&nobody) });
        self.grant(Method::POST, &tail, Some(&body), is_absent)
            .await
    }

    /// Sends a request; `proves` tells the refusals that only come after the
    /// permission was found sufficient.
    pub(super) async fn grant(
        &self,
        method: Method,
        tail: &str,
        body: Option<&Value>,
        proves: fn(&ApiError) -> bool,
    ) -> Grant {
        let call = Call {
            method,
            tail,
            body,
            prefer: None,
            eventual: false,
        };
        match within(self.transport.deadline, self.transport.call(&call)).await {
            None => Grant::Unknown("Microsoft Graph did not answer in time.".to_owned()),
            Some(Ok(_)) => Grant::Works,
            Some(Err(GraphError::Api(error))) if proves(&error) => Grant::Works,
            Some(Err(GraphError::Api(error))) if is_denied(&error) => Grant::Missing,
            Some(Err(error)) => Grant::Unknown(format!("It could not be found out ({error}).")),
        }
    }
}

/// Graph looked for the target and did not find it.
fn is_absent(error: &ApiError) -> bool {
    match error.status() {
        Some(404) => error.code() == Some("Request_ResourceNotFound"),
        Some(400) => {
            let text = error.message().to_lowercase();
            text.contains("source resource object")
        }
        _ => false,
    }
}

/// Graph says that the permission is missing. Other refusals with 403, such as
/// a policy's, carry other codes. An app without any permission is told so in
/// a text of its own, whose code Microsoft does not publish.
fn is_denied(error: &ApiError) -> bool {
    let text = error.message().to_lowercase();
    error.status() == Some(403)
        && (error.code() == Some("Authorization_RequestDenied")
            || text.contains("required roles claim"))
}
