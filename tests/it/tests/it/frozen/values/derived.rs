//! Names and hashes that are derived from values and stored here or in Microsoft's services.

use rollcall_domain::audience::fingerprint::fingerprint;
use rollcall_domain::base::run::Run;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::membership::plan::{AddReason, MembershipPlan, RemoveReason};
use serde_json::json;

use super::written;
use crate::frozen::samples::{
    large_profile, object, profile_id, slot, small_profile, snapshot_id, user,
};

fn plan() -> MembershipPlan {
    MembershipPlan {
        profile: profile_id(1),
        group: Some(object(3)),
        snapshot: snapshot_id(1),
        current: 80,
        desired: 81,
        unreachable: 2,
        adds: [
            (object(4), AddReason::MatchesRules),
            (object(5), AddReason::Included),
        ]
        .into(),
        removes: [(object(6), RemoveReason::NotInAudience)].into(),
        learners: [(object(4), user(4))].into(),
    }
}

/// Approvals of held changes refer to a plan by its hash.
#[test]
fn hash_of_a_membership_plan() {
    let full = plan();
    let mut empty = plan();
    empty.group = None;
    empty.adds.clear();
    empty.removes.clear();
    insta::assert_json_snapshot!(json!({
        "hash": full.hash(),
        "hash of a plan without a group or changes": empty.hash(),
        "the plan": written(&full),
    }));
}

/// A group is identified by the name it was created with, and equal audiences by their fingerprint.
#[test]
fn names_of_profiles() {
    let large = large_profile();
    insta::assert_json_snapshot!(json!({
        "unique name of the group": large.unique_name(),
        "display name of the group": large.group_name("LMS - "),
        "fingerprint of the audience": fingerprint(&large),
        "fingerprint where there is nothing": fingerprint(&small_profile()),
    }));
}

#[test]
fn names_of_runs_and_snapshots() {
    insta::assert_json_snapshot!(json!({
        "runs": Job::ALL.map(|job| Run::name(job, slot(0))),
        "a slot": written(&slot(0)),
        "a slot in words": slot(0).to_string(),
        "a snapshot": snapshot_id(0x0123_4567_89ab),
    }));
}
