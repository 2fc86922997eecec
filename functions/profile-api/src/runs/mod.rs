//! Runs of the jobs: results and progress.

pub(crate) mod start;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::objects::ObjectError;
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::base::run::{Run, RunStatus, StepRecord, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Permission;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, from_cursor, page_size, to_cursor};
use crate::state::{ApiState, now};

/// The lifetime of a report's download address.
const REPORT_LIFETIME: Duration = Duration::from_mins(5);

/// The query of the list of runs.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunQuery {
    /// Only runs of this job. Default: all jobs.
    job: Option<Job>,
    /// The maximum number of runs on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunView {
    /// The id, such as `maintenance-2026-11-26T03:00:00Z`.
    id: String,
    /// The job.
    job: Job,
    /// The time at which the run was due or was started manually.
    slot: Slot,
    /// What started it.
    trigger: Trigger,
    /// The result or the progress.
    status: RunStatus,
    /// When it started.
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<DateTime<Utc>>,
    /// The snapshot that the run used or published.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<SnapshotId>,
    /// The steps of the last invocation, in order.
    steps: Vec<StepRecord>,
    /// The totals by kind.
    counts: BTreeMap<String, u64>,
    /// The reason it was skipped, or a remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The error that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Earlier slots without a run (S4-096).
    missed: Vec<Slot>,
    /// The address at which the full report can be downloaded for five minutes. It names
    /// users, so it is returned only to callers who may read profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    report_url: Option<String>,
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunPage {
    /// The runs, newest first.
    items: Vec<RunView>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

fn id(job: Job, slot: Slot) -> String {
    Run::name(job, slot).replacen('#', "-", 1)
}

/// Returns the job and slot of an id.
fn parse(id: &str) -> Option<(Job, Slot)> {
    let (job, slot) = id.split_once('-')?;
    let at = DateTime::parse_from_rfc3339(slot).ok()?;
    Some((job.parse().ok()?, Slot::by_hand(at.with_timezone(&Utc))))
}

impl RunView {
    fn of(run: Run) -> Self {
        Self {
            id: id(run.request.job, run.request.slot),
            job: run.request.job,
            slot: run.request.slot,
            trigger: run.request.trigger,
            status: run.status,
            started_at: run.started_at,
            finished_at: run.finished_at,
            snapshot: run.snapshot,
            steps: run.steps,
            counts: run.counts,
            note: run.note,
            error: run.error,
            missed: run.missed,
            report_url: None,
        }
    }
}

/// Lists runs, newest first.
///
/// Records are stored for 90 days.
#[utoipa::path(get, path = "/v1/runs", tag = "Runs", params(RunQuery),
    responses((status = 200, description = "A page of runs, newest first", body = RunPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<RunQuery>,
) -> Result<Json<RunPage>, ApiError> {
    let jobs = match query.job {
        Some(job) => vec![job],
        None => Job::ALL.to_vec(),
    };
    let after = query.cursor.as_deref().map(moment).transpose()?;
    let limit = page_size(query.limit);
    let store = &api.services.store;
    let mut runs = Vec::new();
    for job in jobs {
        // All jobs are read from the same time on; runs that do not fit are on the next page.
        let key = after.as_deref().map(|after| format!("run#{job}#{after}"));
        let page = store.run_page(caller.tenant, job, key.as_deref(), limit);
        runs.extend(page.await?.items);
    }
    runs.sort_by_key(|run| std::cmp::Reverse((run.request.slot, run.request.job)));
    let next_cursor = cut(&mut runs, limit);
    Ok(Json(RunPage {
        items: runs.into_iter().map(RunView::of).collect(),
        next_cursor,
    }))
}

/// Returns the time in a cursor, as keys contain it.
fn moment(cursor: &str) -> Result<String, ApiError> {
    let text = from_cursor(cursor)?;
    let read = DateTime::parse_from_rfc3339(&text).map_err(|_| ApiError::Cursor)?;
    Ok(written(read.with_timezone(&Utc)))
}

/// Returns a time in the format of keys and cursors.
fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Cuts a page after `limit` runs and returns its cursor. The cursor is a time, so runs
/// of the same time stay on one page, at most one of each job.
fn cut(runs: &mut Vec<Run>, limit: usize) -> Option<String> {
    let last = runs.get(limit.saturating_sub(1))?.request.slot;
    let keep = runs.partition_point(|run| run.request.slot >= last);
    let full = runs.len() >= limit;
    runs.truncate(keep);
    full.then(|| to_cursor(&written(last.at())))
}

/// Returns a run, with its progress while it is running.
#[utoipa::path(get, path = "/v1/runs/{id}", tag = "Runs",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, description = "The run", body = RunView)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Json<RunView>, ApiError> {
    let (job, slot) = parse(&id).ok_or(ApiError::Missing)?;
    let run = api.services.store.run_at(caller.tenant, job, slot).await;
    let run = run?.ok_or_else(|| not_begun(slot))?;
    let report = run.report.clone();
    let mut view = RunView::of(run);
    let may_see = caller.require(Permission::ReadProfiles.roles()).is_ok();
    if let Some(key) = report.filter(|_| may_see) {
        let name = format!("{id}.json").replace(':', "-");
        let url = api
            .services
            .objects
            .download_url(&key, &name, REPORT_LIFETIME);
        view.report_url = match url.await {
            Ok(url) => Some(url),
            // Reports expire before records do.
            Err(ObjectError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(Json(view))
}

/// Returns the error for a run without a record: it waits to start, or does not exist.
pub(crate) fn not_begun(slot: Slot) -> ApiError {
    let age = now() - slot.at();
    if age < TimeDelta::zero() || age > TimeDelta::hours(1) {
        return ApiError::Missing;
    }
    let detail = "This run has no record yet. If it was just requested, it starts when the current run has ended; try again in a moment.";
    let refused = ProblemDetails::new(StatusCode::NOT_FOUND, detail);
    refused.of_kind("not-begun").after(2).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use rollcall_domain::base::ids::TenantId;
    use rollcall_domain::base::run::RunRequest;
    use uuid::Uuid;

    fn run(job: Job, minutes: i64) -> Run {
        let at = DateTime::from_timestamp(1_800_000_000, 0).expect("time out of range");
        let slot = Slot::of_tick(at - TimeDelta::minutes(minutes));
        let request = RunRequest {
            job,
            tenant: TenantId::new(Uuid::nil()),
            slot,
            trigger: Trigger::Schedule,
            continuation: 0,
            waits: 0,
        };
        Run::begin(request, at)
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let run = run(Job::Maintenance, 0);
        let id = id(run.request.job, run.request.slot);
        assert_eq!(id, "maintenance-2027-01-15T08:00:00Z");
        assert_eq!(parse(&id), Some((Job::Maintenance, run.request.slot)));
        for wrong in [
            "",
            "maintenance",
            "x-2027-01-15T08:00:00Z",
            "refresh-x",
            "#",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    /// Checks that runs of different jobs at the same time stay on one page.
    #[test]
    fn a_page_never_parts_runs_of_one_moment() {
        let mut runs = vec![
            run(Job::Membership, 1),
            run(Job::Maintenance, 1),
            run(Job::Refresh, 2),
        ];
        assert!(cut(&mut runs, 1).is_some());
        assert_eq!(runs.len(), 2);
        let mut few = vec![run(Job::Refresh, 1)];
        assert_eq!(cut(&mut few, 2), None);
    }
}
