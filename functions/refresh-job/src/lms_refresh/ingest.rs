//! From the platform and the directory to a snapshot in memory.

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

/// Everything of one refresh, before it is a snapshot.
pub(crate) struct IngestedData {
    sets: Sets,
    entra: EntraSet,
}

/// Reads all six sets (S4-098) and the Entra properties that rules may use.
/// Complete or an error: a missing page is never a missing person.
pub(crate) async fn gather(
    services: &Services,
    tenant: &Tenant,
    deadline: Deadline,
) -> Result<IngestedData, String> {
    let platform = services
        .learn365(tenant)
        .await
        .map_err(|error| error.to_string())?;
    let platform = platform.with_deadline(deadline.instant().into());
    let sets = platform
        .read_all()
        .await
        .map_err(|error| format!("Learn365: {error}"))?;
    let entra = entra_properties(services, tenant).await?;
    Ok(IngestedData { sets, entra })
}

async fn entra_properties(services: &Services, tenant: &Tenant) -> Result<EntraSet, String> {
    let names = &tenant.settings.entra_properties;
    if names.is_empty() {
        return Ok(EntraSet::default());
    }
    let graph = services
        .graph_reader(tenant)
        .await
        .map_err(|error| error.to_string())?;
    let wanted = names.iter().map(|name| (name.clone(), kind(name)));
    graph
        .user_properties(wanted.collect())
        .await
        .map_err(|error| format!("Microsoft Graph: {error}"))
}

/// Graph names its moments alike.
fn kind(property: &str) -> FieldKind {
    if property.ends_with("DateTime") || property.ends_with("Date") {
        FieldKind::Date
    } else if property.ends_with("Enabled") {
        FieldKind::Boolean
    } else {
        FieldKind::Text
    }
}

/// Builds the snapshot, its rows carried over from `previous`. Without one, or
/// if it cannot be read, the rows are numbered anew, which costs the next
/// maintenance some time and nothing else.
pub(crate) async fn build(
    services: &Services,
    tenant: &Tenant,
    at: DateTime<Utc>,
    gathered: IngestedData,
    previous: Option<&SnapshotPointer>,
) -> Result<Snapshot, String> {
    let header = Header {
        id: SnapshotId::new(at, Uuid::new_v4()),
        tenant: tenant.id,
        taken_at: at,
    };
    let previous = bytes_of(services, tenant, previous).await;
    // Beside the thread that keeps the run's lock alive.
    let built = tokio::task::spawn_blocking(move || compare(header, gathered, previous.as_deref()))
        .await
        .map_err(|error| format!("the snapshot could not be built: {error}"))?;
    if let Some(error) = built.unread {
        tracing::warn!(tenant = %tenant.id, %error, "the snapshot in use cannot be compared with");
    }
    Ok(built.snapshot)
}

/// The file of the snapshot in use.
async fn bytes_of(
    services: &Services,
    tenant: &Tenant,
    in_use: Option<&SnapshotPointer>,
) -> Option<Vec<u8>> {
    let read = services.objects.get(&in_use?.key).await;
    read.inspect_err(|error| {
        tracing::warn!(tenant = %tenant.id, %error, "the snapshot in use is not to be had; rows are numbered anew");
    })
    .ok()
}

fn compare(header: Header, gathered: IngestedData, previous: Option<&[u8]>) -> Built<DecodeError> {
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
