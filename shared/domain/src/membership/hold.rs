//! A held change and an administrator's decision about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::plan::{MembershipPlan, PlanHash};
use crate::base::ids::{ProfileId, SnapshotId};
use crate::base::throttle::Exceeded;

/// The state of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum HoldState {
    /// No decision has been made.
    Open,
    /// The next run may make exactly this change.
    Approved {
        /// Mail address of the administrator.
        by: String,
        /// Time of the approval.
        at: DateTime<Utc>,
        /// The reason given.
        why: String,
    },
    /// A run has started to apply the approved change. If it is interrupted, the next invocation
    /// may apply the rest, based on the same data.
    Applying {
        /// Mail address of the administrator who approved.
        by: String,
        /// Time of the approval.
        at: DateTime<Utc>,
        /// The reason given.
        why: String,
    },
    /// The change was discarded. It remains held, and no further e-mail is sent.
    Discarded {
        /// Mail address of the administrator.
        by: String,
        /// Time of the decision.
        at: DateTime<Utc>,
        /// The reason given.
        why: String,
    },
}

/// The held change of one profile. A newer, different change replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The profile.
    pub profile: ProfileId,
    /// The hash of the held plan.
    pub hash: PlanHash,
    /// The snapshot from which the plan was computed.
    pub snapshot: SnapshotId,
    /// Time since which exactly this change has been held.
    pub since: DateTime<Utc>,
    /// The limits that the plan exceeds.
    pub exceeded: Exceeded,
    /// Number of members that would join.
    pub adds: usize,
    /// Number of members that would leave.
    pub removes: usize,
    /// The state of the decision.
    pub state: HoldState,
}

impl Hold {
    /// Creates an open hold of a plan.
    pub fn new(
        profile: ProfileId,
        plan: &MembershipPlan,
        exceeded: Exceeded,
        since: DateTime<Utc>,
    ) -> Self {
        Self {
            profile,
            hash: plan.hash(),
            snapshot: plan.snapshot.clone(),
            since,
            exceeded,
            adds: plan.adds.len(),
            removes: plan.removes.len(),
            state: HoldState::Open,
        }
    }
}
