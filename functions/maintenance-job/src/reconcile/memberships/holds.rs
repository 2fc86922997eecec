//! Holds changes that exceed the limit, and begins approved ones.

use rollcall_clients::objects::approved_key;
use rollcall_domain::membership::hold::{Hold, HoldState};
use rollcall_domain::membership::plan::approved::ApprovedChanges;
use rollcall_domain::membership::plan::{MembershipPlan, PlanHash};
use rollcall_domain::membership::report::{HeldChange, ProfileStatus};
use rollcall_domain::notices::NoticeKind;

use crate::context::RunContext;
use crate::error::StepError;

/// Marks a hold as being applied, so that the remaining changes need no second approval if
/// this invocation is interrupted. The approved changes are stored first (F-10).
pub(crate) async fn begin_approved(
    context: &RunContext<'_>,
    hold: &Hold,
    plan: &MembershipPlan,
) -> Result<(), StepError> {
    let HoldState::Approved { by, at, why } = hold.state.clone() else {
        return Ok(());
    };
    let key = approved_key(context.tenant.id, plan.profile);
    let approved = ApprovedChanges::of(plan).to_bytes();
    let put = context
        .services
        .objects
        .put(&key, "application/octet-stream", approved);
    put.await?;
    let mut applying = hold.clone();
    applying.state = HoldState::Applying { by, at, why };
    applying.snapshot = context.snapshot.header.id.clone();
    context
        .services
        .store
        .put_hold(context.budget.fence(), &applying)
        .await?;
    Ok(())
}

/// Returns the changes that were approved, if a run has begun to apply them. If they cannot be read,
/// the rest of them needs another approval.
pub(crate) async fn approved_changes(
    context: &RunContext<'_>,
    hold: Option<&Hold>,
) -> Option<ApprovedChanges> {
    let hold = hold.filter(|hold| matches!(hold.state, HoldState::Applying { .. }))?;
    let key = approved_key(context.tenant.id, hold.profile);
    let bytes = context.services.objects.get(&key).await.inspect_err(|error| {
        tracing::warn!(tenant = %context.tenant.id, profile = %hold.profile, %error, "the approved changes are unreadable; their rest is held");
    });
    ApprovedChanges::from_bytes(&bytes.ok()?)
}

/// Holds the whole change: nothing is written to the group (S4-061).
pub(crate) async fn record_hold(
    context: &mut RunContext<'_>,
    index: usize,
    held: Hold,
    hash: PlanHash,
    announce: bool,
    before: Option<&Hold>,
) -> Result<(), StepError> {
    let report = &mut context.profiles[index].report;
    let discarded =
        before.is_some_and(|hold| !announce && matches!(hold.state, HoldState::Discarded { .. }));
    report.status = ProfileStatus::Held;
    report.reason = Some(if discarded {
        format!("{}; it was discarded", held.exceeded)
    } else {
        held.exceeded.to_string()
    });
    report.held = Some(HeldChange {
        hash: hash.clone(),
        exceeded: held.exceeded,
        adds: held.adds,
        removes: held.removes,
    });
    if !announce {
        return Ok(());
    }
    let about = NoticeKind::Held {
        profile: held.profile,
        title: context.profiles[index].profile.title.clone(),
        exceeded: held.exceeded.to_string(),
        adds: held.adds,
        removes: held.removes,
        hash,
        since: held.since,
    };
    // The notice is queued before the hold is stored. After a crash in between, a repetition of
    // this run queues it again with the same identity, so only one e-mail is sent.
    context.services.notify(&context.tenant, about).await?;
    context
        .services
        .store
        .put_hold(context.budget.fence(), &held)
        .await?;
    Ok(())
}
