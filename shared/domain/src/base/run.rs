//! The record of a run: who started it, what it did, how it ended.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{ObjectId, SnapshotId, TenantId};
use super::schedule::{Job, Slot};

/// Who or what started a run (S2-38 in form, X-06).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Trigger {
    /// A scheduled slot.
    Schedule,
    /// The first save of the settings (S4-103).
    FirstSave,
    /// A person.
    #[serde(rename_all = "camelCase")]
    Manual {
        /// Who (mail address).
        by: String,
        /// Their object id, by which a picture is found (S2-38).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<ObjectId>,
        /// What people call them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display_name: Option<String>,
        /// Whether data that shrank suspiciously is to be believed this once.
        #[serde(default)]
        accept_smaller_data: bool,
    },
}

impl Trigger {
    /// Somebody known by name alone.
    pub fn by_hand(by: impl Into<String>) -> Self {
        Self::Manual {
            by: by.into(),
            user: None,
            display_name: None,
            accept_smaller_data: false,
        }
    }
}

/// The message that makes a job work on one tenant. It says "run", never what
/// changed: delivered twice or late, it does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunRequest {
    /// Which job.
    pub job: Job,
    /// For whom.
    pub tenant: TenantId,
    /// The moment the run is "at"; with job and tenant the identity of the run.
    pub slot: Slot,
    /// Who started it.
    pub trigger: Trigger,
    /// How many invocations came before this one of the same run.
    #[serde(default)]
    pub continuation: u32,
    /// How often it was put back because something else had to end first.
    #[serde(default)]
    pub waits: u32,
}

/// How long a request that has to wait is put back.
pub const WAIT_SECONDS: u64 = 60;
/// After so many waits (half an hour) a run gives up or goes on without what it waited for.
pub const MAX_WAITS: u32 = 30;

/// The error of a run that crashed, for people: its record, its notice and the log.
pub const CRASHED: &str = "The run crashed without recording a result: the function was stopped, or it ran out of memory or time.";

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// At work.
    Running,
    /// Stopped cleanly near the deadline; a continuation is on its way.
    Continuing,
    /// Everything done.
    Succeeded,
    /// Done, but single profiles or changes failed.
    SucceededWithFailures,
    /// Nothing was changed, for the reason in `note`.
    Skipped,
    /// Broke off, for the reason in `error`.
    Failed,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// Its name.
    pub name: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What it counted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}

/// The record, small by construction: details are an object beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// What was asked.
    pub request: RunRequest,
    /// How it ended.
    pub status: RunStatus,
    /// When the first invocation began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    /// The data it worked on or made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotId>,
    /// Steps of the last invocation, in order.
    #[serde(default)]
    pub steps: Vec<StepRecord>,
    /// Totals over all invocations.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// Why it was skipped, or a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What broke it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Slots before this one that never ran (S4-096).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Slot>,
    /// Where the full report is, as an object key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

impl Run {
    /// A run that begins.
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
            missed: Vec::new(),
            report: None,
        }
    }

    /// Its identity within the tenant: job and slot.
    pub fn key(request: &RunRequest) -> String {
        Self::name(request.job, request.slot)
    }

    /// The identity of the run of a job at a slot.
    pub fn name(job: Job, slot: Slot) -> String {
        format!("{job}#{}", slot.at().format("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        !matches!(self.status, RunStatus::Running | RunStatus::Continuing)
    }
}
