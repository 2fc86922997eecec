//! A held change and what a person decided about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::plan::{MembershipPlan, PlanHash};
use crate::base::ids::{ProfileId, SnapshotId};
use crate::base::throttle::Exceeded;

/// What became of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum HoldState {
    /// Nobody has decided yet.
    Open,
    /// The next run may make exactly this change.
    Approved {
        /// Who (mail address).
        by: String,
        /// When.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// A run has begun to make the approved change. Cut off in the middle, the
    /// next invocation may make the rest of it, from the same data.
    Applying {
        /// Who approved (mail address).
        by: String,
        /// When.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// This change is not wanted; it stays held without another mail.
    Discarded {
        /// Who (mail address).
        by: String,
        /// When.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
}

/// One profile's held change. A newer, different change replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The profile.
    pub profile: ProfileId,
    /// Exactly which change.
    pub hash: PlanHash,
    /// The data it was computed from.
    pub snapshot: SnapshotId,
    /// Since when this very change is held.
    pub since: DateTime<Utc>,
    /// The limit.
    pub exceeded: Exceeded,
    /// How many would join.
    pub adds: usize,
    /// How many would leave.
    pub removes: usize,
    /// What a person decided.
    pub state: HoldState,
}

impl Hold {
    /// Holds a plan.
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
