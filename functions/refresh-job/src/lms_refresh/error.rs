//! The errors of a refresh. A failed refresh replaces nothing.

use rollcall_app::clients::ConnectError;
use rollcall_app::jobs::budget::Interrupted;
use rollcall_clients::graph::GraphError;
use rollcall_clients::http::ApiError;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::StoreError;
use rollcall_domain::snapshot::format::DecodeError;
use tokio::task::JoinError;

/// The error of a failed refresh.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    /// A client could not be created.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The learning platform's data could not be read completely.
    #[error("Learn365: {0}")]
    Learn365(#[from] ApiError),
    /// The directory's properties could not be read completely.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// The state table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The lease was lost before the new data was in use.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The new data contains too little compared with the data in use, or is other data.
    #[error("{0}")]
    Implausible(String),
    /// The snapshot could not be built.
    #[error("the snapshot could not be built: {0}")]
    Build(JoinError),
    /// A task on another thread panicked or was cancelled.
    #[error(transparent)]
    Thread(#[from] JoinError),
    /// The snapshot could not be encoded.
    #[error(transparent)]
    Encode(#[from] std::io::Error),
    /// The encoded snapshot could not be decoded.
    #[error("the new snapshot is not readable: {0}")]
    Unreadable(DecodeError),
    /// The schema could not be encoded.
    #[error(transparent)]
    Schema(#[from] serde_json::Error),
}
