//! Reads the directory: the changes since the last run, or everything if these are not
//! reliable.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_clients::graph::{DeltaLink, Followed, GraphError, GraphReader, MAX_DELTA_GROUPS};
use rollcall_clients::store::sync::CheckpointPointer;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::directory_sync::{
    ChangeKind, ChangeSubject, DepartureReason, SourceDirectory, SyncPlan, SyncState,
};

use super::failure::SyncFailure;

/// The current directory, and the links from which the next run continues.
pub(super) struct SourceRead {
    pub(super) directory: SourceDirectory,
    /// The delta link of users.
    pub(super) people: String,
    /// The delta link of groups; `None` if no groups are needed.
    pub(super) groups: Option<String>,
    /// Which groups that link follows: `all`, `none` or their ids.
    pub(super) groups_of: String,
    /// When the directory was last read in full.
    pub(super) read_in_full: DateTime<Utc>,
    pub(super) notes: Vec<String>,
}

/// Returns the groups to follow, as a text for the checkpoint pointer (`all`, `none` or their ids)
/// and as ids, which are empty for `all` and `none`.
fn wanted_groups(state: &SyncState) -> (String, Vec<ObjectId>) {
    let config = &state.config;
    let chosen = config.filters.groups.as_ref();
    match chosen {
        _ if !config.needs_groups() => ("none".to_owned(), Vec::new()),
        Some(chosen) if chosen.len() <= MAX_DELTA_GROUPS => {
            let names: Vec<String> = chosen.iter().map(ToString::to_string).collect();
            (names.join(","), chosen.iter().copied().collect())
        }
        // More groups than one query accepts: all groups are followed.
        _ => ("all".to_owned(), Vec::new()),
    }
}

/// Reads the directory: the changes since the link of the last run, or everything. Everything
/// is read at least weekly, if the link has expired, and if the number of users does not match.
pub(super) async fn read(
    graph: &GraphReader,
    state: &SyncState,
    pointer: Option<&CheckpointPointer>,
    known: SourceDirectory,
    now: DateTime<Utc>,
) -> Result<SourceRead, SyncFailure> {
    let (groups_of, only) = wanted_groups(state);
    let fresh = pointer.filter(|_| !state.wants_full_read(now));
    if let Some(pointer) = fresh {
        let followed = follow(graph, pointer, known.clone(), &groups_of, &only).await;
        if let Some(read) = followed.map_err(SyncFailure::from)? {
            return Ok(with_missing_groups(read, state));
        }
    }
    let read = read_in_full(graph, &known, &groups_of, &only, now).await;
    Ok(with_missing_groups(read.map_err(SyncFailure::from)?, state))
}

/// Applies the changes since the last run; `None` if the link expired or the counts do not
/// match.
async fn follow(
    graph: &GraphReader,
    pointer: &CheckpointPointer,
    mut directory: SourceDirectory,
    groups_of: &str,
    only: &[ObjectId],
) -> Result<Option<SourceRead>, GraphError> {
    let from = DeltaLink(pointer.people.clone());
    let people = graph.follow_people(Some(&from), |id, change| match change {
        Some(change) => directory.change_person(id, change),
        None => directory.delete(id),
    });
    let Followed::To(people) = people.await? else {
        tracing::info!("the delta link has expired; reading everything again");
        return Ok(None);
    };
    let counted = graph.count_people().await?;
    if counted != directory.people.len() as u64 {
        tracing::info!(
            counted,
            known = directory.people.len(),
            "the number of users does not match; reading everything again"
        );
        return Ok(None);
    }
    let same = pointer.groups_of == groups_of;
    let from = pointer.groups.clone().filter(|_| same).map(DeltaLink);
    let groups = groups(graph, from, groups_of, only, &mut directory).await?;
    Ok(Some(SourceRead {
        directory,
        people: people.0,
        groups,
        groups_of: groups_of.to_owned(),
        read_in_full: pointer.read_in_full,
        notes: Vec::new(),
    }))
}

/// Follows groups from a link, or reads them all; returns no link if groups are not needed.
async fn groups(
    graph: &GraphReader,
    from: Option<DeltaLink>,
    groups_of: &str,
    only: &[ObjectId],
    directory: &mut SourceDirectory,
) -> Result<Option<String>, GraphError> {
    if groups_of == "none" {
        directory.groups.clear();
        return Ok(None);
    }
    let mut from = from;
    loop {
        if from.is_none() {
            directory.groups.clear();
        }
        let followed = graph.follow_groups(from.as_ref(), only, |id, change| match change {
            Some(change) => directory.change_group(id, change),
            None => _ = directory.groups.remove(&id),
        });
        match followed.await? {
            Followed::To(link) => return Ok(Some(link.0)),
            // This happens at most once: only a request with a link can expire.
            Followed::Expired => from = None,
        }
    }
}

/// Reads everything and determines which known users are missing.
async fn read_in_full(
    graph: &GraphReader,
    before: &SourceDirectory,
    groups_of: &str,
    only: &[ObjectId],
    now: DateTime<Utc>,
) -> Result<SourceRead, GraphError> {
    let mut directory = SourceDirectory::default();
    let people = graph.follow_people(None, |id, change| match change {
        Some(change) => directory.change_person(id, change),
        None => directory.delete(id),
    });
    let Followed::To(people) = people.await? else {
        return Err(rollcall_clients::http::ApiError::Incomplete {
            set: "users of the directory",
            expected: before.people.len() as u64,
            found: 0,
        }
        .into());
    };
    let deleted = graph.deleted_people().await?;
    directory.remember(before, &deleted);
    let counted = graph.count_people().await?;
    let mut notes = Vec::new();
    let found = directory.people.len() as u64;
    if counted != found {
        // The count comes from an index that lags behind; missing users are checked one by
        // one before they are deactivated.
        notes.push(format!(
            "Microsoft Graph listed {found} users but counts {counted}: its index lags behind, or the directory is changing."
        ));
    }
    let groups = groups(graph, None, groups_of, only, &mut directory).await?;
    Ok(SourceRead {
        directory,
        people: people.0,
        groups,
        groups_of: groups_of.to_owned(),
        read_in_full: now,
        notes,
    })
}

/// Adds a note about chosen groups that do not exist; the others are used (S3-37).
fn with_missing_groups(mut read: SourceRead, state: &SyncState) -> SourceRead {
    let chosen = state.config.filters.groups.iter().flatten();
    let unknown: Vec<String> = chosen
        .filter(|id| !read.directory.groups.contains_key(id))
        .map(ToString::to_string)
        .collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        read.notes.push(format!(
            "These groups of the filter do not exist in Microsoft Entra ID: {unknown}."
        ));
    }
    read
}

/// Checks each user who is missing without having been deleted: an incomplete list must not
/// cause deactivations.
pub(super) async fn verify_missing_users(
    graph: &GraphReader,
    plan: &SyncPlan,
) -> Result<(), SyncFailure> {
    let vanished: BTreeSet<ObjectId> = plan
        .changes
        .iter()
        .filter_map(|change| match (&change.what, change.subject) {
            (
                ChangeKind::DeactivateUser {
                    reason: DepartureReason::Vanished,
                },
                ChangeSubject::User(person),
            ) => Some(person),
            _ => None,
        })
        .collect();
    if vanished.is_empty() {
        return Ok(());
    }
    let people: Vec<ObjectId> = vanished.into_iter().collect();
    let found = graph
        .known_people(&people)
        .await
        .map_err(SyncFailure::from)?;
    if found.known == 0 {
        return Ok(());
    }
    Err(SyncFailure::MissingPeople(found.known))
}
