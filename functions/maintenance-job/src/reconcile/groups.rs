//! Every profile has its Entra group: found, restored, created or renamed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use rollcall_clients::graph::{GraphError, GraphWriter, GroupFacts, GroupLookup, GroupSpec};
use rollcall_clients::store::StoreError;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ObjectId, ProfileId};

use crate::budget::Interrupted;
use crate::context::{ProfileContext, RunContext};

/// What is known about groups before their members are looked at.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Made a moment ago: they have no members yet.
    pub(crate) fresh: BTreeSet<ProfileId>,
    /// Restored, replaced or not to be managed: nothing kept about their members counts.
    pub(crate) doubtful: BTreeSet<ProfileId>,
}

/// Makes sure of every group, or stops: a group that was not looked at must not be
/// written to. What fails is that profile's failure alone.
pub(crate) async fn ensure(
    work: &mut RunContext<'_>,
) -> Result<Result<Groups, Interrupted>, StoreError> {
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
            return Ok(Ok(Groups::default()));
        }
    };
    let mut groups = Groups::default();
    let prefix = work.tenant.settings.group_prefix.clone();
    let fence = work.pace.lease().fence().clone();
    for subject in work
        .subjects
        .iter_mut()
        .filter(|subject| !subject.profile.is_deleted())
    {
        if let Err(stop) = work.pace.check().await {
            return Ok(Err(stop));
        }
        match one(&work.graph_writer, subject, &found, &prefix).await {
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
                    // Recorded at once: the id must survive whatever happens next.
                    subject.state.group = Some(id);
                    work.services
                        .store
                        .put_profile_state(&fence, subject.profile.id, &subject.state)
                        .await?;
                }
                subject.report.group = Some(id);
            }
            Err(reason) => {
                groups.doubtful.insert(subject.profile.id);
                subject.report.fail(reason);
            }
        }
    }
    Ok(Ok(groups))
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

/// Where a group came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// It is the one known before.
    Known,
    /// It was made a moment ago.
    Made,
    /// It existed, but was deleted or not known here.
    Found,
}

async fn one(
    graph: &GraphWriter,
    subject: &mut ProfileContext,
    found: &BTreeMap<ObjectId, GroupLookup>,
    prefix: &str,
) -> Result<Ensured, String> {
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
        Some(GroupLookup::Unreadable(reason)) => Err(format!("Microsoft Graph: {reason}")),
        Some(GroupLookup::Missing) | None => bring_back(graph, subject, id, prefix).await,
    }
}

async fn create(graph: &GraphWriter, profile: &Profile, prefix: &str) -> Result<Ensured, String> {
    let spec = GroupSpec {
        unique_name: profile.unique_name(),
        display_name: profile.group_name(prefix),
        description: profile.description.clone(),
        mail_nickname: profile.unique_name(),
    };
    let group = graph.ensure_group(&spec).await.map_err(words)?;
    Ok(Ensured {
        id: group.id,
        origin: if group.created {
            Origin::Made
        } else {
            Origin::Found
        },
    })
}

/// Somebody deleted the group in Entra: it is restored with its members and
/// enrolments if it still can be, else created anew (S4-126, C-50).
async fn bring_back(
    graph: &GraphWriter,
    subject: &mut ProfileContext,
    id: ObjectId,
    prefix: &str,
) -> Result<Ensured, String> {
    if graph
        .reader()
        .find_deleted_group(id)
        .await
        .map_err(words)?
        .is_some()
    {
        graph.restore_group(id).await.map_err(words)?;
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
        // It was there all along: a look-up answered from a copy that lags behind.
        return Ok(created);
    }
    subject.state.managed.clear();
    subject.report.notes.push(format!(
        "the group {id} had been deleted in Entra for good; {} takes its place",
        created.id
    ));
    Ok(created)
}

/// Touches only groups that are ours and that can be managed at all.
fn check(facts: &GroupFacts, profile: &Profile) -> Result<(), String> {
    if facts.unique_name.as_deref() != Some(profile.unique_name().as_str()) {
        return Err(format!(
            "the group {} does not carry this profile's mark and is left alone",
            facts.id
        ));
    }
    facts.unsupported().map_or(Ok(()), |why| {
        Err(format!("the group {} cannot be managed: {why}", facts.id))
    })
}

/// Prefix, title or description changed: the group is renamed and keeps its id (S4-014).
async fn rename(
    graph: &GraphWriter,
    facts: &GroupFacts,
    profile: &Profile,
    prefix: &str,
) -> Result<(), String> {
    let name = profile.group_name(prefix);
    let described = facts.description.as_deref().unwrap_or_default() == profile.description;
    if facts.display_name == name && described {
        return Ok(());
    }
    graph
        .update_group(facts.id, &name, &profile.description)
        .await
        .map_err(words)
}

fn words(error: GraphError) -> String {
    format!("Microsoft Graph: {error}")
}
