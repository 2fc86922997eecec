//! Writes to a group, and records its members before and after.

use std::collections::BTreeSet;

use chrono::Utc;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::membership::plan::MembershipPlan;
use rollcall_domain::membership::plan::guard::Cleared;

use super::apply::apply;
use super::current_members::{CurrentMembers, record};
use crate::context::RunContext;

/// Invalidates the recorded members unless the plan repeats every change that returned an
/// error: such a change may nevertheless have been applied, and only repeating it verifies it.
pub(crate) async fn invalidate_if_unverified(
    context: &RunContext<'_>,
    plan: &MembershipPlan,
    current: &mut CurrentMembers,
) -> Result<(), StoreError> {
    let tried = |id| plan.adds.contains_key(id) || plan.removes.contains_key(id);
    if current.unconfirmed.iter().all(tried) {
        return Ok(());
    }
    current.may_be_stale = true;
    let fence = context.budget.fence();
    let store = &context.services.store;
    store.delete_recorded_members(fence, [plan.profile]).await
}

/// Applies a plan and returns the members whose change failed, or `None` if it was
/// interrupted. The recorded members are deleted before the first write: if this run
/// crashes, the next one reads the group.
pub(crate) async fn apply_recorded(
    context: &mut RunContext<'_>,
    index: usize,
    cleared: &Cleared,
) -> Result<Option<BTreeSet<ObjectId>>, StoreError> {
    let plan = cleared.plan();
    if plan.is_empty() {
        return Ok(apply(context, index, cleared).await);
    }
    let store = &context.services.store;
    let fence = context.budget.fence();
    let state = &mut context.profiles[index].state;
    state.written_at = Some(Utc::now());
    store.put_profile_state(fence, plan.profile, state).await?;
    store.delete_recorded_members(fence, [plan.profile]).await?;
    let ended = apply(context, index, cleared).await;
    context.profiles[index].state.written_at = Some(Utc::now());
    Ok(ended)
}

/// Records the members of the group once the outcome of every change is known.
pub(crate) async fn record_members(
    context: &RunContext<'_>,
    index: usize,
    cleared: &Cleared,
    known: &CurrentMembers,
) -> Result<(), StoreError> {
    let plan = cleared.plan();
    let Some(group) = plan.group.filter(|_| !known.may_be_stale) else {
        return Ok(());
    };
    if plan.is_empty() && known.recorded {
        return Ok(());
    }
    let record = record(context, index, group, known);
    let fence = context.budget.fence();
    let store = &context.services.store;
    store.put_members(fence, &[(plan.profile, record)]).await
}
