//! Third step: brings the members of each group in line with the audience, unless an
//! administrator has to decide.

mod apply;
mod current_members;
mod group_writes;
mod holds;
pub(crate) mod manual_edits;
mod member_list;
mod passes;
mod states;
pub mod workbook;

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_app::jobs::budget::Interrupted;
use rollcall_clients::store::StoreError;
use rollcall_domain::audience::desired_members::{
    Audience, AudienceChange, AudienceError, evaluate,
};
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::base::run::RunRequest;
use rollcall_domain::base::throttle::Limits;
use rollcall_domain::membership::hold::Hold;
use rollcall_domain::membership::plan::diff::{Accounts, PlanTarget, plan};
use rollcall_domain::membership::plan::guard::{GuardVerdict, guard};
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::rules::Fields;

use super::groups::Groups;
use crate::context::RunContext;
use crate::error::{StepError, UnknownMembers};
use current_members::{Current, CurrentMembers, read_current_members};
use group_writes::{apply_recorded, invalidate_if_unverified, record_members};
use holds::{approved_changes, begin_approved, record_hold};
use member_list::Files;
pub(crate) use passes::Pass;
use passes::{note_progress, order};
use states::note_state;
pub(crate) use states::{finalize_all, save};

/// Number of unsaved profile states at which they are stored, so that they fit in one transaction.
const UNSAVED: usize = 99;

/// Data that all profiles of a run share.
struct SharedInputs {
    accounts: Accounts,
    files: Files,
}

/// The membership step: the data of all profiles that are not updated yet.
pub(crate) struct MembershipStep {
    shared: SharedInputs,
    current: Current,
    changes: BTreeMap<ProfileId, Result<AudienceChange, AudienceError>>,
}

impl MembershipStep {
    /// Reads the members of all groups and evaluates all audiences.
    pub(crate) async fn begin(
        context: &mut RunContext<'_>,
        groups: &Groups,
        request: &RunRequest,
    ) -> Result<Self, StepError> {
        let shared = SharedInputs {
            accounts: Accounts::of(&context.snapshot.people),
            files: Files::default(),
        };
        manual_edits::delete_reported(context);
        let mut current = read_current_members(context, groups, &shared.accounts, request).await?;
        let changes = audiences(context, &mut current).await?;
        Ok(Self {
            shared,
            current,
            changes,
        })
    }

    /// Updates the members of the auto-populated profiles' groups.
    pub(crate) async fn update(
        &mut self,
        context: &mut RunContext<'_>,
        pass: Pass,
    ) -> Result<(), StepError> {
        for index in order(context, pass) {
            let go = context.budget.check().await;
            let go = match context.throttled_for() {
                Some(_) => go.and(Err(Interrupted::OutOfTime)),
                None => go,
            };
            if let Err(stop) = go {
                if stop == Interrupted::OutOfTime {
                    save(context).await?;
                }
                return Err(stop.into());
            }
            let id = context.profiles[index].profile.id;
            let members_now = self.current.remove(&id);
            let change = self.changes.remove(&id);
            if let Some((change, members_now)) = prepare(context, index, change, members_now) {
                update_profile(context, &mut self.shared, index, change, members_now).await?;
            }
            manual_edits::add_note(context, index);
            note_state(context, index);
            note_progress(context, index);
            if context.unsaved.len() >= UNSAVED {
                save(context).await?;
            }
        }
        save(context).await?;
        Ok(())
    }
}

/// Evaluates all audiences of the tenant together, because profiles may refer to each other.
async fn audiences(
    context: &RunContext<'_>,
    current: &mut Current,
) -> Result<BTreeMap<ProfileId, Result<AudienceChange, AudienceError>>, StepError> {
    let fields = Fields::of(&context.snapshot);
    let living = context
        .profiles
        .iter()
        .filter(|entry| !entry.profile.is_deleted());
    let audiences: Vec<_> = living
        .map(|entry| {
            Audience::of(&entry.evaluated, &fields).map_err(|error| (entry.profile.id, error))
        })
        .collect();
    let known = current.iter_mut().filter_map(|(id, members_now)| {
        let members = &mut members_now.as_mut().ok()?.members;
        Some((*id, std::mem::take(&mut members.rows)))
    });
    let known: BTreeMap<ProfileId, RowSet> = known.collect();
    let (snapshot, as_of) = (Arc::clone(&context.snapshot), context.as_of());
    // This runs on a separate thread, so that the heartbeat can renew the lease meanwhile.
    let evaluated = tokio::task::spawn_blocking(move || {
        let changes = evaluate(&audiences, &snapshot, as_of, &known);
        (changes, known)
    });
    let (changes, known) = evaluated.await?;
    for (id, rows) in known {
        if let Some(Ok(members_now)) = current.get_mut(&id) {
            members_now.members.rows = rows;
        }
    }
    Ok(changes)
}

/// Returns the inputs of a profile whose members are to be updated; otherwise reports the
/// reason and returns `None`.
fn prepare(
    context: &mut RunContext<'_>,
    index: usize,
    change: Option<Result<AudienceChange, AudienceError>>,
    members_now: Option<Result<CurrentMembers, UnknownMembers>>,
) -> Option<(AudienceChange, CurrentMembers)> {
    let entry = &mut context.profiles[index];
    let report = &mut entry.report;
    if entry.profile.is_deleted() {
        report.status = ProfileStatus::Deleted;
        report.members = entry.state.members;
        return None;
    }
    report.members = match &members_now {
        Some(Ok(members_now)) => members_now.members.len(),
        Some(Err(_)) | None => entry.state.members,
    };
    if report.status == ProfileStatus::Failed {
        return None;
    }
    if !entry.profile.auto_populate {
        report.status = ProfileStatus::Unmanaged;
        report.reason = Some("auto-populate is off: members are not changed".to_owned());
        return None;
    }
    match change {
        Some(Ok(change)) => match members_now {
            Some(Ok(members_now)) => return Some((change, members_now)),
            Some(Err(error)) => report.fail(error.to_string()),
            None => report.fail(UnknownMembers::NotRead.to_string()),
        },
        Some(Err(error @ AudienceError::NeedsReview { .. })) => {
            report.status = ProfileStatus::NeedsReview;
            report.reason = Some(error.to_string());
        }
        Some(Err(error)) => report.fail(error.to_string()),
        None => report.fail("the profile was not evaluated"),
    }
    None
}

/// Plans, guards and applies the change of one profile.
async fn update_profile(
    context: &mut RunContext<'_>,
    shared: &mut SharedInputs,
    index: usize,
    change: AudienceChange,
    mut members_now: CurrentMembers,
) -> Result<(), StepError> {
    let members = change.members(&members_now.members.rows);
    if let Err(error) = member_list::update(context, index, members, &mut shared.files).await {
        // A list that cannot be written does not stop the update of the group.
        context.profiles[index]
            .report
            .fail(format!("the member list could not be written: {error}"));
    }
    let entry = &context.profiles[index];
    let about = PlanTarget {
        profile: entry.profile.id,
        group: entry.state.group,
    };
    let (snapshot, accounts) = (&context.snapshot, &shared.accounts);
    let mut plan = plan(about, snapshot, accounts, &change, &members_now.members);
    plan.leave_out(&context.missing);
    context.profiles[index].report.unreachable = plan.unreachable;
    invalidate_if_unverified(context, &plan, &mut members_now).await?;
    let hold = context.holds.get(&plan.profile).cloned();
    let approved = approved_changes(context, hold.as_ref()).await;
    let limits = limits(context, index);
    match guard(plan.clone(), &limits, hold.as_ref(), approved.as_ref()) {
        GuardVerdict::Hold {
            exceeded,
            hash,
            announce,
        } => {
            let held = Hold::new(plan.profile, &plan, exceeded, context.slot);
            record_hold(context, index, held, hash, announce, hold.as_ref()).await
        }
        GuardVerdict::Clear(cleared) => {
            if let Some(hold) = hold.as_ref() {
                begin_approved(context, hold, cleared.plan()).await?;
            }
            let after = members_now.members.after(&change, &shared.accounts);
            let ended = apply_recorded(context, index, &cleared).await?;
            if ended.is_some() {
                let entry = &mut context.profiles[index];
                entry.state.confirmed_members = entry.report.members;
            }
            let known = ended.map(|failed| CurrentMembers {
                members: after
                    .without(&failed, &members_now.members, &shared.accounts)
                    .without(&context.missing, &members_now.members, &shared.accounts),
                unconfirmed: failed,
                ..members_now
            });
            if let Some(known) = known {
                record_members(context, index, &cleared, &known).await?;
            }
            close_hold(context, index, hold.as_ref()).await?;
            Ok(())
        }
    }
}

/// Returns the limits of a profile's change.
fn limits(context: &RunContext<'_>, index: usize) -> Limits {
    let entry = &context.profiles[index];
    Limits {
        throttle: entry.profile.throttle,
        default: context.tenant.settings.default_limit,
        last_members: entry.state.confirmed_members,
    }
}

/// Deletes a hold whose change was completely applied or is no longer needed.
async fn close_hold(
    context: &RunContext<'_>,
    index: usize,
    hold: Option<&Hold>,
) -> Result<(), StoreError> {
    let report = &context.profiles[index].report;
    let Some(hold) = hold.filter(|_| report.added.deferred + report.removed.deferred == 0) else {
        return Ok(());
    };
    let fence = context.budget.fence();
    context.services.store.clear_hold(fence, hold.profile).await
}
