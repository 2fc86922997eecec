//! Applies a cleared plan to a group and counts honestly.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_clients::graph::{MemberOutcome, MemberOutcomes};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::membership::plan::MembershipPlan;
use rollcall_domain::membership::plan::guard::Cleared;
use rollcall_domain::membership::report::{ChangeTally, Outcome, ProfileStatus};

use crate::context::RunContext;

/// Members of one `PATCH`; with it the fewest writes a change needs.
const ADDS_PER_WRITE: usize = 20;

/// Obeys the plan; decides nothing. Answers who could not be added or removed;
/// nothing when part of it was not tried to the end.
pub(crate) async fn apply(
    work: &mut RunContext<'_>,
    index: usize,
    cleared: &Cleared,
) -> Option<BTreeSet<ObjectId>> {
    let plan = cleared.plan();
    let group = plan.group?;
    let adds: Vec<ObjectId> = plan.adds.keys().copied().collect();
    let removes: Vec<ObjectId> = plan.removes.keys().copied().collect();
    work.floor += (adds.len().div_ceil(ADDS_PER_WRITE) + removes.len()) as u64;
    let outcomes = if plan.is_empty() {
        MemberOutcomes::default()
    } else {
        work.graph_writer
            .apply_members(group, &adds, &removes, &mut work.pace.clone())
            .await
    };
    let report = &mut work.subjects[index].report;
    report.added = tally(&outcomes.adds);
    report.removed = tally(&outcomes.removes);
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
            MemberOutcome::Done | MemberOutcome::Already => {}
            MemberOutcome::Failed(_) => {
                failed.insert(*id);
            }
            MemberOutcome::Deferred => return None,
        }
    }
    Some(failed)
}

fn tally(outcomes: &BTreeMap<ObjectId, MemberOutcome>) -> ChangeTally {
    let mut tally = ChangeTally::default();
    for (id, outcome) in outcomes {
        tally.count(
            id,
            &match outcome {
                MemberOutcome::Done => Outcome::Done,
                MemberOutcome::Already => Outcome::AlreadySo,
                MemberOutcome::Failed(reason) => Outcome::Failed(reason.clone()),
                MemberOutcome::Deferred => Outcome::Deferred,
            },
        );
    }
    tally
}

fn members_after(plan: &MembershipPlan, outcomes: &MemberOutcomes) -> usize {
    let settled = |outcomes: &BTreeMap<ObjectId, MemberOutcome>| {
        outcomes
            .values()
            .filter(|outcome| matches!(outcome, MemberOutcome::Done | MemberOutcome::Already))
            .count()
    };
    (plan.current + settled(&outcomes.adds)).saturating_sub(settled(&outcomes.removes))
}
