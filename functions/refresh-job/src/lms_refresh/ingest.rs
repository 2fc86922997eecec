//! Reads the platform and the directory and builds a snapshot in memory.

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::snapshot::format::{DecodeError, SnapshotReader};
use rollcall_domain::snapshot::ingest::{Built, EntraSet, Sets};
use rollcall_domain::snapshot::lms::FieldKind;
use rollcall_domain::snapshot::{Header, Snapshot};
use rollcall_runtime::Deadline;
use uuid::Uuid;

use super::error::RefreshError;

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

/// Builds the snapshot; users who are in `previous` retain their rows. Without a readable
/// previous snapshot the rows are numbered from scratch, which only makes the next
/// maintenance slower.
pub(crate) async fn build(
    services: &Services,
    tenant: &Tenant,
    at: DateTime<Utc>,
    gathered: IngestedData,
    previous: Option<&SnapshotPointer>,
) -> Result<Snapshot, RefreshError> {
    let header = Header {
        id: SnapshotId::new(at, Uuid::new_v4()),
        tenant: tenant.id,
        taken_at: at,
    };
    let previous = snapshot_file(services, tenant, previous).await;
    // This runs on a separate thread, so that the heartbeat can renew the lease meanwhile.
    let built =
        tokio::task::spawn_blocking(move || build_on(header, gathered, previous.as_deref()))
            .await
            .map_err(RefreshError::Build)?;
    if let Some(error) = built.unread {
        tracing::warn!(tenant = %tenant.id, %error, "the snapshot in use is unreadable; rows are renumbered");
    }
    Ok(built.snapshot)
}

/// Returns the file of the snapshot in use.
async fn snapshot_file(
    services: &Services,
    tenant: &Tenant,
    in_use: Option<&SnapshotPointer>,
) -> Option<Vec<u8>> {
    let read = services.objects.get(&in_use?.key).await;
    read.inspect_err(|error| {
        tracing::warn!(tenant = %tenant.id, %error, "the snapshot in use could not be loaded; rows are renumbered");
    })
    .ok()
}

fn build_on(header: Header, gathered: IngestedData, previous: Option<&[u8]>) -> Built<DecodeError> {
    let IngestedData { sets, entra } = gathered;
    let (reader, unread) = match previous.map(SnapshotReader::open).transpose() {
        Ok(reader) => (reader, None),
        Err(error) => (None, Some(error)),
    };
    let built = sets.into_snapshot(header, entra, reader.as_ref());
    Built {
        unread: unread.or(built.unread),
        ..built
    }
}
