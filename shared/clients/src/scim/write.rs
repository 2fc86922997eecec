//! Writes single changes; each can be retried, and one already applied counts as a success.

use reqwest::Method;
use rollcall_domain::directory_sync::{TargetReplica, Write};
use serde::Deserialize;
use serde_json::Value;

use super::patch::{Edit, Email};
use super::request::{OPERATIONS, Request, patch, request, segment};
use super::transport::may_pass;
use super::{Scim, ServiceCapabilities};
use crate::http::ApiError;

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The change was applied; contains the id of a created resource.
    Done(Option<String>),
    /// A user it refers to does not exist, because an earlier write failed.
    Waits,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

impl Scim {
    /// Applies one change. `mirror` is the current known state of the platform.
    pub async fn write(
        &self,
        write: &Write,
        replica: &TargetReplica,
        service: &ServiceCapabilities,
        language: &str,
    ) -> Result<Written, ApiError> {
        self.write_in_doubt(write, replica, service, language, false)
            .await
    }

    /// Applies one change; `in_doubt` means that it may have been applied before.
    pub(super) async fn write_in_doubt(
        &self,
        write: &Write,
        replica: &TargetReplica,
        service: &ServiceCapabilities,
        language: &str,
        in_doubt: bool,
    ) -> Result<Written, ApiError> {
        match request(write, replica, service.features, language) {
            None => Ok(Written::Waits),
            Some(Request::Change { path, edits }) => {
                self.edit(&path, &edits, service).await?;
                Ok(Written::Done(None))
            }
            Some(Request::Create {
                path,
                external,
                body,
                then,
            }) => {
                let known = if in_doubt && service.filter {
                    self.find(path, &external).await?
                } else {
                    None
                };
                let id = match known {
                    Some(id) => id,
                    None => self.create(path, &external, &body, service).await?,
                };
                self.edit(&format!("{path}/{}", segment(&id)), &then, service)
                    .await?;
                Ok(Written::Done(Some(id)))
            }
        }
    }

    /// Creates a resource once: if the outcome of a request is unknown, the resource is searched
    /// for by its external id.
    async fn create(
        &self,
        path: &str,
        external: &str,
        body: &Value,
        service: &ServiceCapabilities,
    ) -> Result<String, ApiError> {
        let policy = self.http.retry();
        let mut tried = 0;
        loop {
            let error = match self.change_once(Method::POST, path, body).await {
                Ok(answer) => return Ok(answer.json::<Created>("a resource with its id")?.id),
                Err(error) => error,
            };
            tried += 1;
            let is_conflict = error.status() == Some(409);
            // After a 429 nothing was created; the requested wait exceeded the deadline.
            let may_be_made = may_pass(&error) && error.status() != Some(429);
            if !(service.filter && (is_conflict || may_be_made)) {
                return Err(error);
            }
            if let Some(id) = self.find(path, external).await? {
                return Ok(id);
            }
            let pause = policy.pause(tried);
            if is_conflict || tried >= policy.tries || !policy.may_wait(pause, self.deadline) {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn edit(
        &self,
        path: &str,
        edits: &[Edit],
        service: &ServiceCapabilities,
    ) -> Result<(), ApiError> {
        if !service.patch {
            return self.replace(path, edits).await;
        }
        for edits in edits.chunks(OPERATIONS) {
            let sent = self
                .change(Method::PATCH, path, &patch(edits, Email::Replace))
                .await;
            match sent {
                // Patches are atomic, so this one can be sent again.
                Err(error) if error.status() == Some(400) && has_email(edits) => {
                    self.change(Method::PATCH, path, &patch(edits, Email::Add))
                        .await?;
                }
                other => _ = other?,
            }
        }
        Ok(())
    }

    /// Replaces the whole resource with its current state plus the changes.
    async fn replace(&self, path: &str, edits: &[Edit]) -> Result<(), ApiError> {
        if edits.is_empty() {
            return Ok(());
        }
        let mut resource: Value = self.get(path).await?.json("a resource")?;
        for edit in edits {
            edit.apply(&mut resource);
        }
        self.change(Method::PUT, path, &resource).await.map(|_| ())
    }
}

fn has_email(edits: &[Edit]) -> bool {
    edits.iter().any(|edit| matches!(edit, Edit::WorkEmail(_)))
}
