//! Runs of the directory sync as people see them (S2-37…S2-41).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::base::run::{Run, RunStatus, Trigger};
use rollcall_domain::base::schedule::Slot;
use serde::Serialize;
use utoipa::ToSchema;

/// How a run ended, as people see it (S2-39).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncRunStatus)]
pub(crate) enum Status {
    /// At work, or about to go on.
    Running,
    /// It ended well; single changes may have failed, which its counts tell.
    Success,
    /// It failed; `error` says why.
    Failure,
    /// It did nothing; `note` says why.
    Skipped,
}

/// Who started a run (S2-38).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
#[schema(as = SyncTriggeredBy)]
pub(crate) enum TriggeredBy {
    /// Its time had come.
    Automatic,
    /// A person.
    Manual {
        /// What people call them.
        name: String,
        /// The sign-in name, which is a mail address as a rule.
        email: String,
        /// Where their picture is; it may be that they have none.
        #[serde(skip_serializing_if = "Option::is_none")]
        photo: Option<String>,
    },
}

/// One run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncRun {
    /// Its id.
    id: String,
    /// When it was started, or due.
    triggered_at: DateTime<Utc>,
    /// Who started it.
    triggered_by: TriggeredBy,
    /// How it ended.
    status: Status,
    /// What broke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why it was skipped, or a remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When it began to work.
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<DateTime<Utc>>,
    /// How many of each kind, such as `usersCreated`, `teamsArchived`, `failed`,
    /// `skipped`, `waiting`.
    counts: BTreeMap<String, u64>,
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncRunPage {
    /// Newest first.
    pub(super) items: Vec<SyncRun>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// A run's id: its slot.
pub(super) fn run_id(slot: Slot) -> String {
    slot.at().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The slot an id stands for.
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
