//! Second step: makes sure that every profile has its Entra group, and finds, restores,
//! creates or renames it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use rollcall_clients::graph::{GraphError, GraphWriter, GroupFacts, GroupLookup, GroupSpec};
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
    pub(crate) doubtful: BTreeSet<ProfileId>,
}

/// Ensures the group of every profile. A failure concerns that profile only; an interruption
/// stops the run, since a group that was not checked must not be written to.
pub(crate) async fn ensure(work: &mut RunContext<'_>) -> Result<Groups, StepError> {
    let known: Vec<ObjectId> = work
        .subjects
        .iter()
        .filter(|subject| !subject.profile.is_deleted())
        .filter_map(|subject| subject.state.group)
        .collect();
    let found = match work.graph_reader.get_groups(&known).await {
        Ok(found) => found,
        Err(error) => {
            fail_all(work, &error);
            return Ok(Groups::default());
        }
    };
    let mut groups = Groups::default();
    let prefix = work.tenant.settings.group_prefix.clone();
    let fence = work.budget.fence().clone();
    for subject in work
        .subjects
        .iter_mut()
        .filter(|subject| !subject.profile.is_deleted())
    {
        work.budget.check().await?;
        match ensure_one(&work.graph_writer, subject, &found, &prefix).await {
            Ok(Ensured { id, origin }) => {
                match origin {
                    Origin::Known => {}
                    Origin::Made => {
                        groups.fresh.insert(subject.profile.id);
                    }
                    Origin::Found => {
                        groups.doubtful.insert(subject.profile.id);
                    }
                }
                if origin == Origin::Found {
                    subject.state.written_at = Some(Utc::now());
                }
                if subject.state.group != Some(id) || origin == Origin::Found {
                    // Stored at once, so that the id survives a crash.
                    subject.state.group = Some(id);
                    work.services
                        .store
                        .put_profile_state(&fence, subject.profile.id, &subject.state)
                        .await?;
                }
                subject.report.group = Some(id);
            }
            Err(error) => {
                groups.doubtful.insert(subject.profile.id);
                subject.report.fail(error.to_string());
            }
        }
    }
    Ok(groups)
}

fn fail_all(work: &mut RunContext<'_>, error: &GraphError) {
    for subject in work
        .subjects
        .iter_mut()
        .filter(|subject| !subject.profile.is_deleted())
    {
        subject.report.fail(format!("Microsoft Graph: {error}"));
    }
}

struct Ensured {
    id: ObjectId,
    origin: Origin,
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
    subject: &mut ProfileContext,
    found: &BTreeMap<ObjectId, GroupLookup>,
    prefix: &str,
) -> Result<Ensured, GroupError> {
    let profile = &subject.profile;
    let Some(id) = subject.state.group else {
        return create(graph, profile, prefix).await;
    };
    match found.get(&id) {
        Some(GroupLookup::Found(facts)) => {
            check(facts, profile)?;
            rename(graph, facts, profile, prefix).await?;
            Ok(Ensured {
                id,
                origin: Origin::Known,
            })
        }
        Some(GroupLookup::Unreadable(reason)) => Err(GroupError::Unreadable(reason.clone())),
        Some(GroupLookup::Missing) | None => bring_back(graph, subject, id, prefix).await,
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
    })
}

/// Restores a group that was deleted in Entra, with its members and enrolments, or creates a
/// new one if that is not possible any more (S4-126, C-50).
async fn bring_back(
    graph: &GraphWriter,
    subject: &mut ProfileContext,
    id: ObjectId,
    prefix: &str,
) -> Result<Ensured, GroupError> {
    if graph.reader().find_deleted_group(id).await?.is_some() {
        graph.restore_group(id).await?;
        subject.report.notes.push(format!(
            "the group {id} had been deleted in Entra and was restored"
        ));
        return Ok(Ensured {
            id,
            origin: Origin::Found,
        });
    }
    let created = create(graph, &subject.profile, prefix).await?;
    if created.id == id {
        // The group was not deleted: the look-up read a stale replica.
        return Ok(created);
    }
    subject.state.managed.clear();
    subject.report.notes.push(format!(
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
/// (S4-014).
async fn rename(
    graph: &GraphWriter,
    facts: &GroupFacts,
    profile: &Profile,
    prefix: &str,
) -> Result<(), GroupError> {
    let name = profile.group_name(prefix);
    let described = facts.description.as_deref().unwrap_or_default() == profile.description;
    if facts.display_name == name && described {
        return Ok(());
    }
    graph
        .update_group(facts.id, &name, &profile.description)
        .await?;
    Ok(())
}
