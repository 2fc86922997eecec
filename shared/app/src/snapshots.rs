//! Loads snapshots from the object store and checks them against the pointer that names them.

use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::snapshot::format::{self, DecodeError};

use crate::Services;

/// The reason why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Its object cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Its object is not a valid snapshot.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Decoding panicked.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// Its object belongs to another tenant or another refresh.
    #[error("the object {key} contains the data of another tenant or snapshot")]
    Foreign {
        /// The object.
        key: String,
    },
}

/// A snapshot and the size of its object.
#[derive(Debug)]
pub struct LoadedSnapshot {
    /// The data.
    pub snapshot: Snapshot,
    /// The size of the stored object in bytes.
    pub stored_bytes: usize,
}

impl Services {
    /// Loads the snapshot that a pointer names, and verifies its tenant and id.
    ///
    /// # Errors
    /// Returns the reason why it cannot be used.
    pub async fn load_snapshot(
        &self,
        tenant: TenantId,
        pointer: &SnapshotPointer,
    ) -> Result<LoadedSnapshot, SnapshotError> {
        let bytes = self.objects.get(&pointer.key).await?;
        let stored_bytes = bytes.len();
        let decoded = tokio::task::spawn_blocking(move || format::decode(&bytes));
        let snapshot = decoded.await??;
        if snapshot.header.tenant != tenant || snapshot.header.id != pointer.id {
            let key = pointer.key.clone();
            return Err(SnapshotError::Foreign { key });
        }
        Ok(LoadedSnapshot {
            snapshot,
            stored_bytes,
        })
    }
}
