//! Determines which app permissions work, by requests that read no data and change nothing.
//!
//! Decision 0011 explains the requests and what their responses prove.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::transport::Call;
use super::{GraphError, GraphReader};
use crate::http::{ApiError, within};

/// The result of a request for the permission that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grant {
    /// The permission, or a broader one, is granted.
    Works,
    /// Graph rejects the request because the permission is missing.
    Missing,
    /// The response is inconclusive; the reason is a sentence.
    Unknown(String),
}

/// The results for the three required permissions.
#[derive(Debug)]
pub(super) struct Grants {
    /// `User.Read.All`.
    pub(super) users: Grant,
    /// `Group.ReadWrite.All`.
    pub(super) groups: Grant,
    /// `GroupMember.ReadWrite.All`.
    pub(super) members: Grant,
}

/// An object id that Entra never assigns, so that no write has an effect.
const NOTHING: Uuid = Uuid::nil();

impl GraphReader {
    /// Tests all three permissions concurrently.
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

    /// Requests the changes of users from now on: the response contains a link and no user,
    /// and `User.Read.All` is the least privileged permission for it.
    async fn users_grant(&self) -> Grant {
        let tail = "/v1.0/users/delta?$deltaToken=latest&$select=id";
        self.grant(Method::GET, tail, None, |_| false).await
    }

    /// Renames a group that cannot exist. A request by object id never creates a group.
    async fn groups_grant(&self) -> Grant {
        let tail = format!("/v1.0/groups/{NOTHING}");
        let body = json!({ "displayName": "Rollcall connection test" });
        self.grant(Method::PATCH, &tail, Some(&body), is_absent)
            .await
    }

    /// Adds a member that cannot exist to a group that cannot exist.
    async fn members_grant(&self) -> Grant {
        let tail = format!("/v1.0/groups/{NOTHING}/members/$ref");
        let unknown_user = format!("/v1.0/directoryObjects/{NOTHING}");
        let body = json!({ "@odata.id": self.transport.base.join(&unknown_user) });
        self.grant(Method::POST, &tail, Some(&body), is_absent)
            .await
    }

    /// Sends a request; `proves` recognizes the errors that are returned only after the
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
            batch: None,
        };
        match within(self.transport.deadline, self.transport.call(&call)).await {
            None => Grant::Unknown("Microsoft Graph did not answer in time.".to_owned()),
            Some(Ok(_)) => Grant::Works,
            Some(Err(GraphError::Api(error))) if proves(&error) => Grant::Works,
            Some(Err(GraphError::Api(error))) if is_denied(&error) => Grant::Missing,
            Some(Err(error)) => Grant::Unknown(format!("This could not be checked ({error}).")),
        }
    }
}

/// Returns whether Graph looked for the object and did not find it.
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

/// Returns whether Graph reports a missing permission. Other 403 responses, such as those of
/// a policy, have other codes. An app without any permission receives a different message,
/// whose code Microsoft does not document.
fn is_denied(error: &ApiError) -> bool {
    let text = error.message().to_lowercase();
    error.status() == Some(403)
        && (error.code() == Some("Authorization_RequestDenied")
            || text.contains("required roles claim"))
}
