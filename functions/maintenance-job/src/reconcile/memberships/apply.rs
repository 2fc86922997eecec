//! Applies a cleared plan to a group and counts the outcomes.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_clients::graph::MemberOutcomes;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::membership::plan::MembershipPlan;
use rollcall_domain::membership::plan::guard::Cleared;
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::RunContext;

/// Members per `PATCH`, for computing the minimum number of writes of a change.
const ADDS_PER_WRITE: usize = 20;

/// Applies the plan without further decisions. Returns the members whose change failed, or
/// `None` if some changes were deferred.
pub(crate) async fn apply(
    context: &mut RunContext<'_>,
    index: usize,
    cleared: &Cleared,
) -> Option<BTreeSet<ObjectId>> {
    let plan = cleared.plan();
    let group = plan.group?;
    let adds: Vec<ObjectId> = plan.adds.keys().copied().collect();
    let removes: Vec<ObjectId> = plan.removes.keys().copied().collect();
    context.min_writes += (adds.len().div_ceil(ADDS_PER_WRITE) + removes.len()) as u64;
    let outcomes = if plan.is_empty() {
        MemberOutcomes::default()
    } else {
        context
            .graph_writer
            .apply_members(group, &adds, &removes, &mut context.budget.clone())
            .await
    };
    context.missing.extend(&outcomes.missing);
    let report = &mut context.profiles[index].report;
    report.unreachable += outcomes.missing.len();
    report.added = outcomes.add_counts();
    report.removed = outcomes.remove_counts();
    report.members = members_after(plan, &outcomes);
    if report.added.failed + report.removed.failed > 0 {
        let first = report
            .added
            .failures
            .iter()
            .chain(&report.removed.failures)
            .next()
            .cloned()
            .unwrap_or_default();
        report.fail(format!(
            "{} changes failed, the first: {first}",
            report.added.failed + report.removed.failed
        ));
    } else if report.added.deferred + report.removed.deferred > 0 {
        report.status = ProfileStatus::Unfinished;
    }
    failed(&outcomes)
}

fn failed(outcomes: &MemberOutcomes) -> Option<BTreeSet<ObjectId>> {
    let mut failed = BTreeSet::new();
    for (id, outcome) in outcomes.adds.iter().chain(&outcomes.removes) {
        match outcome {
            Outcome::Done | Outcome::AlreadySo => {}
            Outcome::Failed(_) => {
                failed.insert(*id);
            }
            Outcome::Deferred(_) => return None,
        }
    }
    Some(failed)
}

fn members_after(plan: &MembershipPlan, outcomes: &MemberOutcomes) -> usize {
    let settled = |outcomes: &BTreeMap<ObjectId, Outcome>| {
        let outcomes = outcomes.values();
        outcomes.filter(|outcome| outcome.is_settled()).count()
    };
    (plan.current + settled(&outcomes.adds)).saturating_sub(settled(&outcomes.removes))
}
