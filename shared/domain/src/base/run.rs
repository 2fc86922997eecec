//! The record of a run: who started it, what it did and how it ended.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{ObjectId, SnapshotId, TenantId};
use super::schedule::{Job, Slot};

/// The cause of a run (S2-38 in form, X-06).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Trigger {
    /// A scheduled slot.
    Schedule,
    /// The first save of the settings (S4-103).
    FirstSave,
    /// A user.
    #[serde(rename_all = "camelCase")]
    Manual {
        /// The user's mail address.
        by: String,
        /// The user's object id, used to find a picture (S2-38).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<ObjectId>,
        /// The user's display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display_name: Option<String>,
        /// True to accept, for this run only, data that shrank suspiciously.
        #[serde(default)]
        accept_smaller_data: bool,
    },
}

impl Trigger {
    /// Creates the trigger of a user known by mail address only.
    pub fn by_hand(by: impl Into<String>) -> Self {
        Self::Manual {
            by: by.into(),
            user: None,
            display_name: None,
            accept_smaller_data: false,
        }
    }
}

/// The message that starts a job for one tenant. It does not contain the changes, so duplicate or
/// late delivery is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// The job.
    pub job: Job,
    /// The tenant.
    pub tenant: TenantId,
    /// The time for which the run is made; job, tenant and slot identify the run.
    pub slot: Slot,
    /// The cause of the run.
    pub trigger: Trigger,
    /// Number of earlier invocations of the same run.
    #[serde(default)]
    pub continuation: u32,
    /// Number of times the request was requeued because something else had to end first.
    #[serde(default)]
    pub waits: u32,
}

/// Delay of a requeued request.
pub const WAIT_SECONDS: u64 = 60;
/// After this number of waits (half an hour) a run is recorded as skipped, or continues
/// without what it waited for.
pub const MAX_WAITS: u32 = 30;

/// The error of a crashed run, as shown in its record, its notice and the log.
pub const CRASHED: &str = "The run crashed without recording a result: the function was stopped, or it ran out of memory or time.";

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// The run is in progress.
    Running,
    /// Stopped before the deadline; a continuation is queued.
    Continuing,
    /// All work is done.
    Succeeded,
    /// Completed, but individual profiles or changes failed.
    SucceededWithFailures,
    /// Nothing was changed; `note` contains the reason.
    Skipped,
    /// Aborted; `error` contains the reason.
    Failed,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// The name of the step.
    pub name: String,
    /// Duration in milliseconds.
    pub ms: u64,
    /// Counts of the step by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}

/// The record of a run. It is small; details are stored in a separate object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The request that started the run.
    pub request: RunRequest,
    /// The status.
    pub status: RunStatus,
    /// Start of the first invocation.
    pub started_at: DateTime<Utc>,
    /// End of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    /// The snapshot that the run used or created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotId>,
    /// Steps of the last invocation, in order.
    #[serde(default)]
    pub steps: Vec<StepRecord>,
    /// Totals over all invocations.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// The reason why the run was skipped, or a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The error that ended the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Number of consecutive invocations without progress, up to the last one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stalled: u32,
    /// Earlier slots that never ran (S4-096).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Slot>,
    /// Object key of the full report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Run {
    /// Creates the record of a run that begins.
    pub fn begin(request: RunRequest, at: DateTime<Utc>) -> Self {
        Self {
            request,
            status: RunStatus::Running,
            started_at: at,
            finished_at: None,
            snapshot: None,
            steps: Vec::new(),
            counts: BTreeMap::new(),
            note: None,
            error: None,
            stalled: 0,
            missed: Vec::new(),
            report: None,
        }
    }

    /// Returns the identity of the run within the tenant: job and slot.
    pub fn key(request: &RunRequest) -> String {
        Self::name(request.job, request.slot)
    }

    /// Returns the identity of the run of a job at a slot.
    pub fn name(job: Job, slot: Slot) -> String {
        format!("{job}#{}", slot.at().format("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// Returns true if the run has ended.
    pub fn is_over(&self) -> bool {
        !matches!(self.status, RunStatus::Running | RunStatus::Continuing)
    }
}
