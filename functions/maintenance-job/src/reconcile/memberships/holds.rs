//! Holds changes that exceed the limit, and begins approved ones.

use rollcall_domain::membership::hold::{Hold, HoldState};
use rollcall_domain::membership::plan::PlanHash;
use rollcall_domain::membership::report::{HeldChange, ProfileStatus};
use rollcall_domain::notices::NoticeKind;

use crate::context::RunContext;
use crate::error::StepError;

/// Marks a hold as being applied, so that the remaining changes need no second approval if
/// this invocation is interrupted.
pub(crate) async fn begin_approved(context: &RunContext<'_>, hold: &Hold) -> Result<(), StepError> {
    let HoldState::Approved { by, at, why } = hold.state.clone() else {
        return Ok(());
    };
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
