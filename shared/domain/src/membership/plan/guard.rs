//! The guard: a change that exceeds a limit is held before the first write.

use super::approved::ApprovedChanges;
use super::{MembershipPlan, PlanHash};
use crate::base::throttle::{Exceeded, Limits};
use crate::membership::hold::{Hold, HoldState};

/// A plan that may be applied; only the guard creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a cleared plan that is not applied changes nothing"]
pub struct Cleared(MembershipPlan);

impl Cleared {
    /// Returns the plan.
    pub fn plan(&self) -> &MembershipPlan {
        &self.0
    }
}

/// The result of the guard.
#[derive(Debug, Clone, PartialEq)]
pub enum GuardVerdict {
    /// The plan may be applied.
    Clear(Cleared),
    /// Nothing may be written; an administrator must decide (S4-061).
    Hold {
        /// The limits that the plan exceeds.
        exceeded: Exceeded,
        /// The hash of the plan, for the hold's record.
        hash: PlanHash,
        /// True if no notification about exactly this change has been sent.
        announce: bool,
    },
}

/// Returns the limits that a plan exceeds.
pub fn exceeded(plan: &MembershipPlan, limits: &Limits) -> Option<Exceeded> {
    limits.exceeded(plan.adds.len(), plan.removes.len(), plan.current)
}

/// Checks a plan against its limits and the profile's current hold, if any. An approval clears
/// exactly the plan for which it was given (S4-063); `approved` are its changes, if the hold is being
/// applied.
pub fn guard(
    plan: MembershipPlan,
    limits: &Limits,
    hold: Option<&Hold>,
    approved: Option<&ApprovedChanges>,
) -> GuardVerdict {
    let Some(exceeded) = exceeded(&plan, limits) else {
        return GuardVerdict::Clear(Cleared(plan));
    };
    let hash = plan.hash();
    let known = hold.filter(|hold| hold.hash == hash);
    let is_approved = |hold: &Hold| matches!(hold.state, HoldState::Approved { .. });
    if known.is_some_and(is_approved) || hold.is_some_and(|hold| is_rest(&plan, hold, approved)) {
        return GuardVerdict::Clear(Cleared(plan));
    }
    GuardVerdict::Hold {
        exceeded,
        hash,
        announce: known.is_none(),
    }
}

/// Returns true if the plan is the rest of an approved change that was interrupted: based on the
/// same data, and without a change that was not approved (F-10).
fn is_rest(plan: &MembershipPlan, hold: &Hold, approved: Option<&ApprovedChanges>) -> bool {
    matches!(hold.state, HoldState::Applying { .. })
        && plan.snapshot == hold.snapshot
        && approved.is_some_and(|approved| approved.cover(plan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::SnapshotId;
    use crate::base::throttle::Throttle;
    use crate::membership::plan::{AddReason, RemoveReason};
    use crate::testing::{World, profile_id, slot};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn plan(adds: usize, removes: usize, current: usize) -> MembershipPlan {
        let id = |prefix: &str, n: usize| World::object(&format!("{prefix}{n}"));
        MembershipPlan {
            profile: profile_id("P"),
            group: None,
            snapshot: SnapshotId::new(slot(), uuid::Uuid::nil()),
            current,
            desired: current + adds - removes,
            unreachable: 0,
            adds: (0..adds)
                .map(|n| (id("a", n), AddReason::MatchesRules))
                .collect(),
            removes: (0..removes)
                .map(|n| (id("r", n), RemoveReason::NotInAudience))
                .collect(),
            learners: BTreeMap::new(),
        }
    }

    fn limits(max_changes: Option<u32>, max_percent: Option<f64>) -> Limits {
        Limits {
            throttle: Throttle {
                max_changes,
                max_percent,
            },
            ..Limits::default()
        }
    }

    /// Proves S4-056 and S4-059: strictly greater than the count, adds and removes together.
    #[test]
    fn the_count_limit_is_strictly_greater() {
        assert!(exceeded(&plan(3, 2, 10), &limits(Some(5), None)).is_none());
        let found = exceeded(&plan(3, 3, 10), &limits(Some(5), None)).expect("limit not exceeded");
        assert_eq!(
            found.to_string(),
            "6 member changes exceed the limit of 5 members"
        );
    }

    /// Proves S4-057 and S4-060: percent of the current members, not applicable at zero.
    #[test]
    fn the_percentage_is_of_current_members() {
        assert!(exceeded(&plan(1, 1, 10), &limits(None, Some(20.0))).is_none());
        let found =
            exceeded(&plan(2, 1, 10), &limits(None, Some(20.0))).expect("limit not exceeded");
        assert_eq!(
            found.to_string(),
            "3 member changes exceed the limit of 20 % of 10 current members"
        );
        assert!(exceeded(&plan(500, 0, 0), &limits(None, Some(1.0))).is_none());
        assert!(exceeded(&plan(500, 0, 0), &limits(Some(499), Some(1.0))).is_some());
    }

    /// Proves S4-058: without limits nothing is held.
    #[test]
    fn dont_throttle_holds_nothing() {
        assert!(exceeded(&plan(0, 10_000, 10_000), &limits(None, None)).is_none());
    }

    /// Proves S4-061 and S4-063: held completely, notified once, released by approval of this
    /// change only.
    #[test]
    fn an_approval_is_for_exactly_one_change() {
        let throttle = limits(Some(1), None);
        let GuardVerdict::Hold {
            hash,
            announce: true,
            exceeded,
        } = guard(plan(2, 0, 5), &throttle, None, None)
        else {
            panic!("not held and announced");
        };
        let mut hold = Hold::new(profile_id("P"), &plan(2, 0, 5), exceeded, slot());
        assert_eq!(hold.hash, hash);
        assert!(matches!(
            guard(plan(2, 0, 5), &throttle, Some(&hold), None),
            GuardVerdict::Hold {
                announce: false,
                ..
            }
        ));
        hold.state = HoldState::Approved {
            by: "ada@contoso.example".to_owned(),
            at: slot(),
            why: String::new(),
        };
        assert!(matches!(
            guard(plan(2, 0, 5), &throttle, Some(&hold), None),
            GuardVerdict::Clear(_)
        ));
        assert!(matches!(
            guard(plan(3, 0, 5), &throttle, Some(&hold), None),
            GuardVerdict::Hold { announce: true, .. }
        ));
    }

    /// Proves S4-063 and F-10: an interrupted change needs no second approval, on the same data and
    /// for the approved members only.
    #[test]
    fn the_rest_of_an_approved_change_is_cleared_for_approved_members_only() {
        let limits = limits(Some(1), None);
        let complete = plan(9, 3, 5);
        let approved = ApprovedChanges::of(&complete);
        let exceeded = exceeded(&complete, &limits).expect("limit not exceeded");
        let mut hold = Hold::new(profile_id("P"), &complete, exceeded, slot());
        let clears = |plan: MembershipPlan, hold: &Hold, approved| {
            matches!(
                guard(plan, &limits, Some(hold), approved),
                GuardVerdict::Clear(_)
            )
        };
        assert!(
            !clears(plan(4, 0, 10), &hold, Some(&approved)),
            "it was not approved"
        );
        hold.state = HoldState::Applying {
            by: String::new(),
            at: slot(),
            why: String::new(),
        };
        assert!(clears(plan(4, 0, 10), &hold, Some(&approved)));
        assert!(clears(plan(9, 3, 10), &hold, Some(&approved)));
        assert!(
            !clears(plan(4, 0, 10), &hold, None),
            "it is not known what was approved"
        );
        let mut other = plan(2, 0, 10);
        other
            .adds
            .insert(World::object("somebody else"), AddReason::MatchesRules);
        assert!(
            !clears(other, &hold, Some(&approved)),
            "another user would join"
        );
        let mut other = plan(0, 2, 10);
        other
            .removes
            .insert(World::object("a1"), RemoveReason::NotInAudience);
        assert!(
            !clears(other, &hold, Some(&approved)),
            "another user would leave"
        );
        let mut newer = plan(4, 0, 10);
        newer.snapshot = SnapshotId::new(slot(), uuid::Uuid::max());
        assert!(!clears(newer, &hold, Some(&approved)), "the data is newer");
    }

    proptest! {
        /// A plan cleared without an approval never exceeds a limit.
        #[test]
        fn cleared_plans_keep_within_the_limits(adds in 0usize..40, removes in 0usize..20, spare in 0usize..40, count in 0u32..40, percent in 0u32..200) {
            let plan = plan(adds, removes, removes + spare);
            let throttle = limits(Some(count), Some(f64::from(percent)));
            let changes = plan.changes();
            let current = plan.current;
            if let GuardVerdict::Clear(_) = guard(plan, &throttle, None, None) {
                prop_assert!(changes <= count as usize);
                prop_assert!(current == 0 || changes * 100 <= percent as usize * current);
            }
        }
    }
}
