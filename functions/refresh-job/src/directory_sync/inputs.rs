//! The inputs of a comparison: source and target, each complete.

use chrono::Utc;
use rollcall_clients::graph::GraphReader;
use rollcall_clients::objects::{ObjectError, sync_key};
use rollcall_clients::scim::{Described, Scim};
use rollcall_clients::store::sync::MirrorPointer;
use rollcall_domain::base::run::Run;
use rollcall_domain::directory_sync::{Checkpoint, Platform, SyncState};

use super::failure::SyncFailure;
use super::{SyncRun, source, target};

/// Source and target as they are now.
pub(super) struct SyncInputs {
    pub(super) stored: Checkpoint,
    pub(super) before: Option<Platform>,
    pub(super) pointer: MirrorPointer,
    pub(super) described: Described,
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
        let pointer = store.mirror(tenant).await?;
        let kept = match &pointer {
            Some(pointer) => self.kept(&pointer.key).await?,
            None => None,
        };
        let (mut pointer, mut kept) = match (pointer, kept) {
            (Some(pointer), Some(kept)) => (Some(pointer), kept),
            _ => (None, Checkpoint::default()),
        };
        // Another address is another platform; the directory stays the same.
        if let Some(pointer) = pointer.as_mut()
            && pointer.target != state.config.target
        {
            kept.platform = Platform::default();
            pointer.settled = false;
        }
        let now = Utc::now();
        let ways = source::read(graph, state, pointer.as_ref(), kept.directory, now);
        let known = target::PreviousRun {
            pointer: pointer.as_ref(),
            platform: kept.platform,
        };
        let lands = target::read(scim, state, known, now);
        let (ways, lands) = tokio::try_join!(Box::pin(ways), Box::pin(lands))?;
        let key = sync_key(tenant, &Run::key(self.request), self.request.continuation);
        Ok(SyncInputs {
            pointer: MirrorPointer {
                key,
                read_in_full: ways.read_in_full,
                people: ways.people,
                groups: ways.groups,
                groups_of: ways.groups_of,
                settled: true,
                newest_user: lands.newest.user,
                newest_group: lands.newest.group,
                target: state.config.target.clone(),
                platform_in_full: lands.in_full,
            },
            stored: Checkpoint {
                directory: ways.directory,
                platform: lands.platform,
            },
            before: lands.before,
            described: lands.described,
            notes: ways.notes,
        })
    }

    /// Returns the checkpoint of the last run. Without one, or if it is unreadable,
    /// everything is read in full.
    async fn kept(&self, key: &str) -> Result<Option<Checkpoint>, SyncFailure> {
        match self.services.objects.get(key).await {
            Ok(bytes) => Ok(Checkpoint::from_bytes(&bytes)
                .inspect_err(|error| tracing::warn!(error, "what was read last is unreadable"))
                .ok()),
            Err(ObjectError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
