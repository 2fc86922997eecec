//! Reads the platform and the directory and builds a snapshot in memory.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::snapshot::Header;
use rollcall_domain::snapshot::format::{DecodeError, SnapshotReader};
use rollcall_domain::snapshot::ingest::{Built, EntraSet, Sets};
use rollcall_domain::snapshot::lms::FieldKind;
use rollcall_domain::snapshot::sanity::Overlap;
use rollcall_runtime::Deadline;
use uuid::Uuid;

use super::error::RefreshError;
use super::publish::CandidateSnapshot;

/// The data of one refresh.
pub(crate) struct IngestedData {
    sets: Sets,
    entra: EntraSet,
}

/// Reads all six sets (S4-098) and the Entra properties that rules may use. Complete or an
/// error: a missing page must not look like missing users.
pub(crate) async fn read_all(
    services: &Services,
    tenant: &Tenant,
    deadline: Deadline,
) -> Result<IngestedData, RefreshError> {
    let platform = services.learn365(tenant).await?;
    let platform = platform.with_deadline(deadline.instant().into());
    let sets = platform.read_all().await?;
    let entra = entra_properties(services, tenant).await?;
    Ok(IngestedData { sets, entra })
}

async fn entra_properties(services: &Services, tenant: &Tenant) -> Result<EntraSet, RefreshError> {
    let names = &tenant.settings.entra_properties;
    if names.is_empty() {
        return Ok(EntraSet::default());
    }
    let graph = services.graph_reader(tenant).await?;
    let wanted = names.iter().map(|name| (name.clone(), kind(name)));
    Ok(graph.user_properties(wanted.collect()).await?)
}

/// Returns the kind of a Graph property, which follows from the end of its name.
fn kind(property: &str) -> FieldKind {
    if property.ends_with("DateTime") || property.ends_with("Date") {
        FieldKind::Date
    } else if property.ends_with("Enabled") {
        FieldKind::Boolean
    } else {
        FieldKind::Text
    }
}

/// The snapshot in use.
#[derive(Clone, Copy)]
pub(crate) struct PreviousSnapshot<'a> {
    pub(crate) pointer: &'a SnapshotPointer,
    /// True if its users retain their rows. Not for a snapshot that an operator put back.
    pub(crate) is_continued: bool,
}

/// Builds the snapshot and compares it with the one in use. Without a readable previous snapshot
/// the rows are numbered from scratch, which only makes the next maintenance slower.
pub(crate) async fn build(
    services: &Services,
    tenant: &Tenant,
    at: DateTime<Utc>,
    gathered: IngestedData,
    previous: Option<PreviousSnapshot<'_>>,
) -> Result<CandidateSnapshot, RefreshError> {
    let header = Header {
        id: SnapshotId::new(at, Uuid::new_v4()),
        tenant: tenant.id,
        taken_at: at,
    };
    let is_continued = previous.is_some_and(|previous| previous.is_continued);
    let file = snapshot_file(services, tenant, previous).await;
    // This runs on a separate thread, so that the heartbeat can renew the lease meanwhile.
    let built = tokio::task::spawn_blocking(move || {
        build_on(header, gathered, file.as_deref(), is_continued)
    });
    let (built, overlap) = built.await.map_err(RefreshError::Build)?;
    if let Some(error) = built.unread {
        tracing::warn!(tenant = %tenant.id, %error, "the snapshot in use is unreadable; rows are renumbered");
    }
    Ok(CandidateSnapshot {
        snapshot: Arc::new(built.snapshot),
        overlap,
    })
}

/// Returns the file of the snapshot in use.
async fn snapshot_file(
    services: &Services,
    tenant: &Tenant,
    in_use: Option<PreviousSnapshot<'_>>,
) -> Option<Vec<u8>> {
    let read = services.objects.get(&in_use?.pointer.key).await;
    read.inspect_err(|error| {
        tracing::warn!(tenant = %tenant.id, %error, "the snapshot in use could not be loaded; rows are renumbered");
    })
    .ok()
}

fn build_on(
    header: Header,
    gathered: IngestedData,
    in_use: Option<&[u8]>,
    is_continued: bool,
) -> (Built<DecodeError>, Option<Overlap>) {
    let IngestedData { sets, entra } = gathered;
    let (reader, unread) = match in_use.map(SnapshotReader::open).transpose() {
        Ok(reader) => (reader, None),
        Err(error) => (None, Some(error)),
    };
    let continued = reader.as_ref().filter(|_| is_continued);
    let built = sets.into_snapshot(header, entra, continued);
    let overlap = reader.map(|reader| Overlap::between(&reader, &built.snapshot));
    let (overlap, unread) = match overlap.transpose() {
        Ok(overlap) => (overlap, unread),
        Err(error) => (None, Some(error)),
    };
    let built = Built {
        unread: unread.or(built.unread),
        ..built
    };
    (built, overlap)
}
