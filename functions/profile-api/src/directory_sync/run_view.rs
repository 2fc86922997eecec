//! Runs of the directory sync as the API returns them (S2-37…S2-41).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::base::run::{Run, RunStatus, Trigger};
use rollcall_domain::base::schedule::Slot;
use serde::Serialize;
use utoipa::ToSchema;

/// The status of a run (S2-39).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncRunStatus)]
pub(crate) enum Status {
    /// The run has not ended yet.
    Running,
    /// The run succeeded. Single changes may have failed; `counts` contains their number.
    Success,
    /// The run failed; `error` contains the reason.
    Failure,
    /// The run did nothing; `note` contains the reason.
    Skipped,
}

/// What started a run (S2-38).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
#[schema(as = SyncTriggeredBy)]
pub(crate) enum TriggeredBy {
    /// The schedule.
    Automatic,
    /// An administrator.
    Manual {
        /// The display name.
        name: String,
        /// The sign-in name, usually an e-mail address.
        email: String,
        /// The path of the picture; it returns 404 if there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        photo: Option<String>,
    },
}

/// A run of the directory sync.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncRun {
    /// The id.
    id: String,
    /// When it was started or due.
    triggered_at: DateTime<Utc>,
    /// What started it.
    triggered_by: TriggeredBy,
    /// The status.
    status: Status,
    /// The error that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The reason it was skipped, or a remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<DateTime<Utc>>,
    /// The number of changes by kind, such as `usersCreated`, `teamsArchived`, `failed`,
    /// `skipped`, `waiting`.
    counts: BTreeMap<String, u64>,
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncRunPage {
    /// The runs, newest first.
    pub(super) items: Vec<SyncRun>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// Returns the id of a run, which is its slot.
pub(super) fn run_id(slot: Slot) -> String {
    slot.at().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns the slot of an id.
pub(super) fn slot_of(id: &str) -> Option<Slot> {
    let at = DateTime::parse_from_rfc3339(id).ok()?;
    Some(Slot::by_hand(at.with_timezone(&Utc)))
}

impl From<Run> for SyncRun {
    fn from(run: Run) -> Self {
        let id = run_id(run.request.slot);
        let triggered_by = match run.request.trigger {
            Trigger::Schedule | Trigger::FirstSave => TriggeredBy::Automatic,
            Trigger::Manual {
                by,
                user,
                display_name,
                ..
            } => TriggeredBy::Manual {
                name: display_name.unwrap_or_else(|| by.clone()),
                email: by,
                photo: user.map(|_| format!("/v1/sync/runs/{id}/photo")),
            },
        };
        Self {
            triggered_at: run.request.slot.at(),
            triggered_by,
            status: match run.status {
                RunStatus::Running | RunStatus::Continuing => Status::Running,
                RunStatus::Succeeded | RunStatus::SucceededWithFailures => Status::Success,
                RunStatus::Failed => Status::Failure,
                RunStatus::Skipped => Status::Skipped,
            },
            id,
            error: run.error,
            note: run.note,
            started_at: run.started_at,
            finished_at: run.finished_at,
            counts: run.counts,
        }
    }
}
