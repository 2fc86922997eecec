//! Second step: makes sure that every profile has its Entra group, and finds, restores,
//! creates or renames it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use rollcall_app::Services;
use rollcall_clients::graph::{GraphError, GraphWriter, GroupFacts, GroupLookup, GroupSpec};
use rollcall_clients::store::{Fence, StoreError};
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ObjectId, ProfileId};

use crate::context::{ProfileContext, RunContext};
use crate::error::{GroupError, StepError};

/// The groups whose recorded members must not be used.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Groups that were just created: they have no members yet.
    pub(crate) fresh: BTreeSet<ProfileId>,
    /// Groups that were restored or replaced, or must not be managed: recorded members are
    /// not valid for them.
    pub(crate) may_be_stale: BTreeSet<ProfileId>,
}

/// Ensures the group of every profile. A failure concerns that profile only; an interruption
/// stops the run, since a group that was not checked must not be written to.
pub(crate) async fn ensure(context: &mut RunContext<'_>) -> Result<Groups, StepError> {
    let known: Vec<ObjectId> = context
        .profiles
        .iter()
        .filter(|entry| !entry.profile.is_deleted())
        .filter_map(|entry| entry.state.group)
        .collect();
    let found = match context.graph_reader.get_groups(&known).await {
        Ok(found) => found,
        Err(error) if error.is_throttled() => return Err(StepError::of_graph(error)),
        Err(error) => {
            fail_all(context, &error);
            return Ok(Groups::default());
        }
    };
    let mut groups = Groups::default();
    let prefix = context.tenant.settings.group_prefix.clone();
    let fence = context.budget.fence().clone();
    for entry in context
        .profiles
        .iter_mut()
        .filter(|entry| !entry.profile.is_deleted())
    {
        context.budget.check().await?;
        match ensure_one(&context.graph_writer, entry, &found, &prefix).await {
            Ok(Ensured {
                id,
                origin,
                renamed,
            }) => {
                context.progressed |= renamed || origin != Origin::Known;
                match origin {
                    Origin::Known => {}
                    Origin::Made => {
                        groups.fresh.insert(entry.profile.id);
                    }
                    Origin::Found => {
                        groups.may_be_stale.insert(entry.profile.id);
                    }
                }
                record_group(context.services, &fence, entry, id, origin).await?;
                entry.report.group = Some(id);
            }
            Err(GroupError::Graph(error)) if error.is_throttled() => {
                return Err(StepError::of_graph(error));
            }
            Err(error) => {
                groups.may_be_stale.insert(entry.profile.id);
                entry.report.fail(error.to_string());
            }
        }
    }
    Ok(groups)
}

/// Stores the group of a profile at once if it changed, so that its id survives a crash.
async fn record_group(
    services: &Services,
    fence: &Fence,
    entry: &mut ProfileContext,
    id: ObjectId,
    origin: Origin,
) -> Result<(), StoreError> {
    if origin == Origin::Found {
        entry.state.written_at = Some(Utc::now());
    } else if entry.state.group == Some(id) {
        return Ok(());
    }
    entry.state.group = Some(id);
    let (store, profile) = (&services.store, entry.profile.id);
    store.put_profile_state(fence, profile, &entry.state).await
}

fn fail_all(context: &mut RunContext<'_>, error: &GraphError) {
    for entry in context
        .profiles
        .iter_mut()
        .filter(|entry| !entry.profile.is_deleted())
    {
        entry.report.fail(format!("Microsoft Graph: {error}"));
    }
}

struct Ensured {
    id: ObjectId,
    origin: Origin,
    /// True if its name or description was changed.
    renamed: bool,
}

/// The origin of a profile's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The group was known and exists.
    Known,
    /// The group was just created.
    Made,
    /// The group existed, but had been deleted or was not recorded in the profile's state.
    Found,
}

async fn ensure_one(
    graph: &GraphWriter,
    entry: &mut ProfileContext,
    found: &BTreeMap<ObjectId, GroupLookup>,
    prefix: &str,
) -> Result<Ensured, GroupError> {
    let profile = &entry.profile;
    let Some(id) = entry.state.group else {
        return create(graph, profile, prefix).await;
    };
    match found.get(&id) {
        Some(GroupLookup::Found(facts)) => {
            check(facts, profile)?;
            let renamed = rename(graph, facts, profile, prefix).await?;
            Ok(Ensured {
                id,
                origin: Origin::Known,
                renamed,
            })
        }
        Some(GroupLookup::Unreadable(reason)) => Err(GroupError::Unreadable(reason.clone())),
        Some(GroupLookup::Missing) | None => bring_back(graph, entry, id, prefix).await,
    }
}

async fn create(
    graph: &GraphWriter,
    profile: &Profile,
    prefix: &str,
) -> Result<Ensured, GroupError> {
    let spec = GroupSpec {
        unique_name: profile.unique_name(),
        display_name: profile.group_name(prefix),
        description: profile.description.clone(),
        mail_nickname: profile.unique_name(),
    };
    let group = graph.ensure_group(&spec).await?;
    Ok(Ensured {
        id: group.id,
        origin: if group.created {
            Origin::Made
        } else {
            Origin::Found
        },
        renamed: false,
    })
}

/// Restores a group that was deleted in Entra, with its members and enrolments, or creates a
/// new one if that is not possible any more (S4-126, C-50).
async fn bring_back(
    graph: &GraphWriter,
    entry: &mut ProfileContext,
    id: ObjectId,
    prefix: &str,
) -> Result<Ensured, GroupError> {
    if graph.reader().find_deleted_group(id).await?.is_some() {
        graph.restore_group(id).await?;
        entry.report.notes.push(format!(
            "the group {id} had been deleted in Entra and was restored"
        ));
        return Ok(Ensured {
            id,
            origin: Origin::Found,
            renamed: false,
        });
    }
    let created = create(graph, &entry.profile, prefix).await?;
    if created.id == id {
        // The group was not deleted: the look-up read a stale replica.
        return Ok(created);
    }
    entry.state.managed.clear();
    entry.report.notes.push(format!(
        "the group {id} had been permanently deleted in Entra; {} replaces it",
        created.id
    ));
    Ok(created)
}

/// Checks that a group has the unique name of its profile and can be managed.
fn check(facts: &GroupFacts, profile: &Profile) -> Result<(), GroupError> {
    if facts.unique_name.as_deref() != Some(profile.unique_name().as_str()) {
        return Err(GroupError::NotMarked(facts.id));
    }
    facts.unsupported().map_or(Ok(()), |reason| {
        Err(GroupError::Unsupported {
            group: facts.id,
            reason,
        })
    })
}

/// Renames the group if prefix, title or description changed; its id stays the same
/// (S4-014). Returns whether it did.
async fn rename(
    graph: &GraphWriter,
    facts: &GroupFacts,
    profile: &Profile,
    prefix: &str,
) -> Result<bool, GroupError> {
    let name = profile.group_name(prefix);
    let described = facts.description.as_deref().unwrap_or_default() == profile.description;
    if facts.display_name == name && described {
        return Ok(false);
    }
    graph
        .update_group(facts.id, &name, &profile.description)
        .await?;
    Ok(true)
}
