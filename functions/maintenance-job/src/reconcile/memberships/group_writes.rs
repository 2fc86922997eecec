//! Writes to a group, and what may be kept about its members before and after.

use std::collections::BTreeSet;

use chrono::Utc;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::membership::plan::MembershipPlan;
use rollcall_domain::membership::plan::guard::Cleared;

use super::apply::apply;
use super::current_members::{CurrentMembers, record};
use crate::context::RunContext;

/// A change that failed may have been made all the same. A plan that tries it
/// again finds out; when one does not, nobody knows how the group stands.
pub(crate) async fn invalidate_if_unverified(
    work: &RunContext<'_>,
    plan: &MembershipPlan,
    standing: &mut CurrentMembers,
) -> Result<(), StoreError> {
    let tried = |id| plan.adds.contains_key(id) || plan.removes.contains_key(id);
    if standing.unsure.iter().all(tried) {
        return Ok(());
    }
    standing.doubtful = true;
    let fence = work.pace.lease().fence();
    let store = &work.services.store;
    store.forget_members(fence, [plan.profile]).await
}

/// Applies a plan; answers whose change failed, or nothing if it was cut short.
/// What is kept about the group is taken back before the first write: whatever
/// happens from there on, the next run reads the group.
pub(crate) async fn carry_out(
    work: &mut RunContext<'_>,
    index: usize,
    cleared: &Cleared,
) -> Result<Option<BTreeSet<ObjectId>>, StoreError> {
    let plan = cleared.plan();
    if plan.is_empty() {
        return Ok(apply(work, index, cleared).await);
    }
    let store = &work.services.store;
    let fence = work.pace.lease().fence();
    let state = &mut work.subjects[index].state;
    state.written_at = Some(Utc::now());
    store.put_profile_state(fence, plan.profile, state).await?;
    store.forget_members(fence, [plan.profile]).await?;
    let ended = apply(work, index, cleared).await;
    work.subjects[index].state.written_at = Some(Utc::now());
    Ok(ended)
}

/// Keeps how the group stands once it is known how every change ended.
pub(crate) async fn keep(
    work: &RunContext<'_>,
    index: usize,
    cleared: &Cleared,
    known: &CurrentMembers,
) -> Result<(), StoreError> {
    let plan = cleared.plan();
    let Some(group) = plan.group.filter(|_| !known.doubtful) else {
        return Ok(());
    };
    if plan.is_empty() && known.recorded {
        return Ok(());
    }
    let record = record(work, index, group, known);
    let fence = work.pace.lease().fence();
    let store = &work.services.store;
    store.put_members(fence, &[(plan.profile, record)]).await
}
