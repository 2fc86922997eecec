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
use rollcall_domain::snapshot::sanity::{
    self, Counts, Overlap, RecentCounts, emptied, filled, shrunk,
};
use rollcall_domain::snapshot::schema;
use rollcall_domain::snapshot::{Snapshot, format};

use super::error::RefreshError;

/// The counts of a published snapshot, and the notices that follow.
pub(crate) struct PublishedSnapshot {
    pub(crate) counts: Counts,
    pub(crate) notices: Vec<NoticeKind>,
}

/// A snapshot, compared with the one in use.
pub(crate) struct CandidateSnapshot {
    pub(crate) snapshot: Arc<Snapshot>,
    /// `None` if there is none in use, or if it cannot be read.
    pub(crate) overlap: Option<Overlap>,
}

/// Stores the snapshot and moves the pointer last, so that a partial one is never in use
/// (S4-100). Compared with `last`, the snapshot must be plausible.
pub(crate) async fn publish(
    services: &Services,
    tenant: &Tenant,
    budget: &RunBudget,
    candidate: &CandidateSnapshot,
    last: Option<SnapshotPointer>,
) -> Result<PublishedSnapshot, RefreshError> {
    let CandidateSnapshot { snapshot, overlap } = candidate;
    let counts = Counts::of(snapshot);
    let filled = filled(snapshot);
    let mut recent = Vec::new();
    if let Some(last) = last {
        let losses = implausible(&last, counts, &filled, overlap.as_ref());
        if !losses.is_empty() {
            return Err(RefreshError::Implausible(losses.join(" · ")));
        }
        let before = RecentCounts {
            at: last.taken_at,
            counts: last.counts,
        };
        recent = sanity::recent(&last.recent, before, snapshot.header.taken_at);
    }
    let mut pointer = upload(services, tenant, snapshot, counts).await?;
    pointer.filled = filled;
    pointer.recent = recent;
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

/// Returns the reasons why the data is not believed.
fn implausible(
    last: &SnapshotPointer,
    counts: Counts,
    filled: &BTreeMap<String, u64>,
    overlap: Option<&Overlap>,
) -> Vec<String> {
    let sets = shrunk(last.counts.peak(&last.recent), counts);
    let values = emptied(&last.filled, filled);
    let foreign = overlap.map(Overlap::foreign).unwrap_or_default();
    let sets = sets.iter().map(ToString::to_string);
    let values = values.iter().map(ToString::to_string);
    let foreign = foreign.iter().map(ToString::to_string);
    sets.chain(values).chain(foreign).collect()
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
        recent: Vec::new(),
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
