//! Keeps a snapshot that can be believed: upload, schema, then the pointer.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_app::Services;
use rollcall_clients::objects::{schema_key, snapshot_key};
use rollcall_clients::store::Lease;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::audience::desired_members::{Audience, AudienceError};
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::notices::NoticeKind;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::sanity::{Counts, emptied, filled, shrunk};
use rollcall_domain::snapshot::schema;
use rollcall_domain::snapshot::{Snapshot, format};

/// What was stored, and what people should know because of it.
pub(crate) struct PublishedSnapshot {
    pub(crate) counts: Counts,
    pub(crate) notices: Vec<NoticeKind>,
}

/// Stores the snapshot and moves the pointer last, so that nobody ever reads a
/// half-written one (S4-100). It must not have shrunk too much since `last`.
pub(crate) async fn keep(
    services: &Services,
    tenant: &Tenant,
    lease: &Lease,
    snapshot: &Arc<Snapshot>,
    last: Option<SnapshotPointer>,
) -> Result<PublishedSnapshot, String> {
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
        return Err(losses.join(" · "));
    }
    let mut pointer = upload(services, tenant, snapshot, counts).await?;
    pointer.filled = filled;
    if !lease.renew().await.map_err(words)? {
        return Err("the lock was lost to another run; the old data stays in use".to_owned());
    }
    services
        .store
        .set_snapshot_pointer(lease.fence(), &pointer)
        .await
        .map_err(words)?;
    // The data is in use from here on; what else goes wrong is no failure of the refresh.
    let notices = reviews(services, tenant, snapshot).await.unwrap_or_else(|error| {
        tracing::error!(tenant = %tenant.id, %error, "rules were not checked early; maintenance does it");
        Vec::new()
    });
    Ok(PublishedSnapshot { counts, notices })
}

async fn upload(
    services: &Services,
    tenant: &Tenant,
    snapshot: &Arc<Snapshot>,
    counts: Counts,
) -> Result<SnapshotPointer, String> {
    let id = snapshot.header.id.clone();
    let (key, schema_key) = (snapshot_key(tenant.id, &id), schema_key(tenant.id, &id));
    let whole = Arc::clone(snapshot);
    // Beside the thread that keeps the run's lock alive.
    let bytes = tokio::task::spawn_blocking(move || readable_bytes(&whole))
        .await
        .map_err(words)??;
    services
        .objects
        .put(&key, "application/octet-stream", bytes)
        .await
        .map_err(words)?;
    let schema = serde_json::to_vec(&schema::build(snapshot)).map_err(words)?;
    services
        .objects
        .put(&schema_key, "application/json", schema)
        .await
        .map_err(words)?;
    Ok(SnapshotPointer {
        id,
        taken_at: snapshot.header.taken_at,
        key,
        schema_key,
        counts,
        filled: BTreeMap::new(),
    })
}

/// The snapshot's file, opened once: data that no run could read must never be in use.
fn readable_bytes(snapshot: &Snapshot) -> Result<Vec<u8>, String> {
    let bytes = format::encode(snapshot).map_err(words)?;
    format::SnapshotReader::open(&bytes)
        .and_then(|reader| reader.identity())
        .map_err(|error| format!("the new data would not be readable: {error}"))?;
    Ok(bytes)
}

/// Profiles whose rules use something that is gone: their people are told now
/// rather than at the next maintenance (S4-120, C-17).
async fn reviews(
    services: &Services,
    tenant: &Tenant,
    snapshot: &Snapshot,
) -> Result<Vec<NoticeKind>, String> {
    let fields = Fields::of(snapshot);
    let profiles = services.store.profiles(tenant.id).await.map_err(words)?;
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

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
