//! Publishes a snapshot: checks it, uploads it and its schema, then moves the pointer.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_app::Services;
use rollcall_app::jobs::budget::RunBudget;
use rollcall_clients::objects::{schema_key, snapshot_key};
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::audience::desired_members::{Audience, AudienceError};
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::notices::NoticeKind;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::sanity::{Counts, emptied, filled, shrunk};
use rollcall_domain::snapshot::schema;
use rollcall_domain::snapshot::{Snapshot, format};

use super::error::RefreshError;

/// The counts of a published snapshot, and the notices that follow.
pub(crate) struct PublishedSnapshot {
    pub(crate) counts: Counts,
    pub(crate) notices: Vec<NoticeKind>,
}

/// Stores the snapshot and moves the pointer last, so that a partial one is never in use
/// (S4-100). The snapshot must not have shrunk too much since `last`.
pub(crate) async fn publish(
    services: &Services,
    tenant: &Tenant,
    budget: &RunBudget,
    snapshot: &Arc<Snapshot>,
    last: Option<SnapshotPointer>,
) -> Result<PublishedSnapshot, RefreshError> {
    let counts = Counts::of(snapshot);
    let filled = filled(snapshot);
    let losses = last.map_or_else(Vec::new, |last| {
        let sets = shrunk(last.counts, counts)
            .into_iter()
            .map(|loss| loss.to_string());
        sets.chain(
            emptied(&last.filled, &filled)
                .into_iter()
                .map(|loss| loss.to_string()),
        )
        .collect()
    });
    if !losses.is_empty() {
        return Err(RefreshError::Shrunk(losses.join(" · ")));
    }
    let mut pointer = upload(services, tenant, snapshot, counts).await?;
    pointer.filled = filled;
    budget.confirm_lease().await?;
    services
        .store
        .set_snapshot_pointer(budget.fence(), &pointer)
        .await?;
    // The new snapshot is in use from here on; a later failure does not fail the refresh.
    let notices = reviews(services, tenant, snapshot).await.unwrap_or_else(|error| {
        tracing::error!(tenant = %tenant.id, %error, "rules could not be checked; the next maintenance checks them");
        Vec::new()
    });
    Ok(PublishedSnapshot { counts, notices })
}

async fn upload(
    services: &Services,
    tenant: &Tenant,
    snapshot: &Arc<Snapshot>,
    counts: Counts,
) -> Result<SnapshotPointer, RefreshError> {
    let id = snapshot.header.id.clone();
    let (key, schema_key) = (snapshot_key(tenant.id, &id), schema_key(tenant.id, &id));
    let shared = Arc::clone(snapshot);
    // This runs on a separate thread, so that the heartbeat can renew the lease meanwhile.
    let bytes = tokio::task::spawn_blocking(move || readable_bytes(&shared)).await??;
    services
        .objects
        .put(&key, "application/octet-stream", bytes)
        .await?;
    let schema = serde_json::to_vec(&schema::build(snapshot))?;
    services
        .objects
        .put(&schema_key, "application/json", schema)
        .await?;
    Ok(SnapshotPointer {
        id,
        taken_at: snapshot.header.taken_at,
        key,
        schema_key,
        counts,
        filled: BTreeMap::new(),
    })
}

/// Encodes the snapshot and checks that the result can be opened: a snapshot that no run can read
/// must never be in use.
fn readable_bytes(snapshot: &Snapshot) -> Result<Vec<u8>, RefreshError> {
    let bytes = format::encode(snapshot)?;
    format::SnapshotReader::open(&bytes)
        .and_then(|reader| reader.identity())
        .map_err(RefreshError::Unreadable)?;
    Ok(bytes)
}

/// Returns notices for profiles whose rules use something that no longer exists, so that
/// administrators learn of it before the next maintenance (S4-120, C-17).
async fn reviews(
    services: &Services,
    tenant: &Tenant,
    snapshot: &Snapshot,
) -> Result<Vec<NoticeKind>, RefreshError> {
    let fields = Fields::of(snapshot);
    let profiles = services.store.profiles(tenant.id).await?;
    let living = profiles
        .into_iter()
        .filter_map(|stored| stored.profile.ok())
        .filter(|profile| !profile.is_deleted());
    Ok(living
        .filter_map(|profile| review(&profile, &fields))
        .collect())
}

fn review(profile: &Profile, fields: &Fields) -> Option<NoticeKind> {
    match Audience::of(profile, fields) {
        Err(AudienceError::NeedsReview { problems, .. }) => Some(NoticeKind::NeedsReview {
            profile: profile.id,
            title: profile.title.clone(),
            problems: problems.iter().map(ToString::to_string).collect(),
            edited: profile.modified_at,
        }),
        _ => None,
    }
}
