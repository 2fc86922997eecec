//! The inputs of a comparison: source and target, each complete.

use chrono::Utc;
use rollcall_clients::graph::GraphReader;
use rollcall_clients::objects::{ObjectError, sync_key};
use rollcall_clients::scim::{Scim, ServiceCapabilities};
use rollcall_clients::store::sync::CheckpointPointer;
use rollcall_domain::base::run::Run;
use rollcall_domain::directory_sync::{Checkpoint, Platform, SyncState};

use super::failure::SyncFailure;
use super::{SyncRun, source, target};

/// The current source and target, and how they were read.
pub(super) struct SyncInputs {
    pub(super) checkpoint: Checkpoint,
    /// The target after the last run, if it is known for certain.
    pub(super) before: Option<Platform>,
    pub(super) pointer: CheckpointPointer,
    pub(super) service: ServiceCapabilities,
    pub(super) notes: Vec<String>,
}

impl SyncRun<'_> {
    /// Reads both sides completely; a partial read is an error.
    pub(super) async fn read(
        &self,
        state: &SyncState,
        graph: &GraphReader,
        scim: &Scim,
    ) -> Result<SyncInputs, SyncFailure> {
        let tenant = self.request.tenant;
        let store = &self.services.store;
        let pointer = store.checkpoint_pointer(tenant).await?;
        let stored_checkpoint = match &pointer {
            Some(pointer) => self.stored_checkpoint(&pointer.key).await?,
            None => None,
        };
        let (mut pointer, mut stored_checkpoint) = match (pointer, stored_checkpoint) {
            (Some(pointer), Some(stored_checkpoint)) => (Some(pointer), stored_checkpoint),
            _ => (None, Checkpoint::default()),
        };
        // With another address the target is another platform, so only the directory in the
        // checkpoint is still valid.
        if let Some(pointer) = pointer.as_mut()
            && pointer.target != state.config.target
        {
            stored_checkpoint.platform = Platform::default();
            pointer.settled = false;
        }
        let now = Utc::now();
        let source = source::read(
            graph,
            state,
            pointer.as_ref(),
            stored_checkpoint.directory,
            now,
        );
        let known = target::PreviousRun {
            pointer: pointer.as_ref(),
            platform: stored_checkpoint.platform,
        };
        let target = target::read(scim, state, known, now);
        let (source, target) = tokio::try_join!(Box::pin(source), Box::pin(target))?;
        let key = sync_key(tenant, &Run::key(self.request), self.request.continuation);
        Ok(SyncInputs {
            pointer: CheckpointPointer {
                key,
                read_in_full: source.read_in_full,
                people: source.people,
                groups: source.groups,
                groups_of: source.groups_of,
                settled: true,
                newest_user: target.newest.user,
                newest_group: target.newest.group,
                target: state.config.target.clone(),
                platform_in_full: target.in_full,
            },
            checkpoint: Checkpoint {
                directory: source.directory,
                platform: target.platform,
            },
            before: target.before,
            service: target.service,
            notes: source.notes,
        })
    }

    /// Returns the checkpoint of the last run. Without one, or if it is unreadable,
    /// everything is read in full.
    async fn stored_checkpoint(&self, key: &str) -> Result<Option<Checkpoint>, SyncFailure> {
        match self.services.objects.get(key).await {
            Ok(bytes) => Ok(Checkpoint::from_bytes(&bytes)
                .inspect_err(|error| tracing::warn!(error, "the checkpoint is unreadable"))
                .ok()),
            Err(ObjectError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
