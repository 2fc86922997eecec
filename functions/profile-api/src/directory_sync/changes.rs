//! The changes of a run: done, failed, deferred, waiting, skipped and rejected ones.

use axum::Json;
use axum::extract::State;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::{
    ChangeKind, ChangeOutcome, ChangeSubject, Field, PlannedChange, Skip, SyncReport,
};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, from_cursor, page_size, to_cursor};
use crate::state::ApiState;

/// The state of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncChangeState)]
pub(crate) enum ChangeState {
    /// The change was made.
    Done,
    /// The change failed; the next run retries it.
    Failed,
    /// The change is left to the next run.
    Deferred,
    /// The change waits for an administrator.
    Waiting,
    /// The user is not changed; `text` contains the reason.
    Skipped,
    /// An administrator rejected the change.
    Pinned,
}

/// The query of the list of changes.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Only changes in this state. Default: all.
    state: Option<ChangeState>,
    /// The maximum number of changes on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncChange {
    /// The key of the change, to decide on it.
    key: String,
    /// The kind of subject: `user` or `team`.
    about: &'static str,
    /// The object id of the user or the key of the team.
    id: String,
    /// The name of the user or team.
    name: String,
    /// The action: `create`, `link`, `set`, `reactivate`, `deactivate`, `rename`,
    /// `addMember`, `removeMember`, `addSupervisor`, `removeSupervisor`, `archive`,
    /// `restore`, or `skip`.
    action: &'static str,
    /// The changed field, for `set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Field>,
    /// The value on the learning platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    /// The value in the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    /// The change in one sentence.
    text: String,
    /// The state.
    state: ChangeState,
    /// The reason it failed or was deferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// True if it overwrites a manual change on the learning platform.
    overwrites_manual: bool,
    /// True if an administrator has rejected it, for a waiting change since the comparison.
    rejected: bool,
}

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncChangePage {
    /// The changes, in the order in which they were planned.
    items: Vec<SyncChange>,
    /// The number of changes on all pages.
    total: usize,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

fn action(what: &ChangeKind) -> &'static str {
    match what {
        ChangeKind::CreateUser { .. } | ChangeKind::CreateTeam { .. } => "create",
        ChangeKind::LinkUser { .. } => "link",
        ChangeKind::SetField { .. } => "set",
        ChangeKind::ReactivateUser => "reactivate",
        ChangeKind::DeactivateUser { .. } => "deactivate",
        ChangeKind::RenameTeam { .. } => "rename",
        ChangeKind::AddMember { .. } => "addMember",
        ChangeKind::RemoveMember { .. } => "removeMember",
        ChangeKind::AddSupervisor { .. } => "addSupervisor",
        ChangeKind::RemoveSupervisor { .. } => "removeSupervisor",
        ChangeKind::ArchiveTeam { .. } => "archive",
        ChangeKind::RestoreTeam => "restore",
    }
}

impl SyncChange {
    fn of(change: &PlannedChange, state: ChangeState, detail: Option<String>) -> Self {
        let (about, id) = match change.subject {
            ChangeSubject::User(id) => ("user", id.to_string()),
            ChangeSubject::Team(key) => ("team", key.to_string()),
        };
        let (field, old, new) = match &change.what {
            ChangeKind::SetField { field, old, new } => (Some(*field), old.clone(), new.clone()),
            ChangeKind::RenameTeam { old, new } => (None, Some(old.clone()), Some(new.clone())),
            _ => (None, None, None),
        };
        Self {
            key: change.key(),
            about,
            id,
            name: change.name.clone(),
            action: action(&change.what),
            field,
            old,
            new,
            text: change.to_string(),
            state,
            detail,
            overwrites_manual: change.overwrites_manual,
            rejected: false,
        }
    }

    fn skipped(skip: &Skip) -> Self {
        Self {
            key: format!("user/{}", skip.person),
            about: "user",
            id: skip.person.to_string(),
            name: skip.name.clone(),
            action: "skip",
            field: None,
            old: None,
            new: None,
            text: skip.to_string(),
            state: ChangeState::Skipped,
            detail: None,
            overwrites_manual: false,
            rejected: false,
        }
    }
}

fn state_of(outcome: &ChangeOutcome) -> ChangeState {
    match outcome.outcome {
        Outcome::Done | Outcome::AlreadySo => ChangeState::Done,
        Outcome::Failed(_) => ChangeState::Failed,
        Outcome::Deferred(_) => ChangeState::Deferred,
    }
}

/// Returns the reports of a run as rows. Deferred changes are taken only from the last
/// report, because a later invocation reports what became of earlier ones.
fn rows(parts: &[SyncReport], wanted: Option<ChangeState>) -> Vec<ChangeRow<'_>> {
    let mut all = Vec::new();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter().enumerate() {
        let is_listed = |outcome: &&ChangeOutcome| at == last || !outcome.outcome.is_deferred();
        let outcomes = part.outcomes.iter().filter(is_listed);
        all.extend(
            outcomes
                .map(|it| ChangeRow::PlannedChange(&it.change, state_of(it), it.outcome.reason())),
        );
    }
    if let Some(part) = parts.last() {
        let waiting = part.waiting.iter();
        all.extend(
            waiting.map(|change| ChangeRow::PlannedChange(change, ChangeState::Waiting, None)),
        );
        all.extend(part.skipped.iter().map(ChangeRow::Skip));
        all.extend(
            part.pinned
                .iter()
                .map(|change| ChangeRow::PlannedChange(change, ChangeState::Pinned, None)),
        );
    }
    all.retain(|row| wanted.is_none_or(|wanted| row.state() == wanted));
    all
}

enum ChangeRow<'r> {
    PlannedChange(&'r PlannedChange, ChangeState, Option<&'r str>),
    Skip(&'r Skip),
}

impl ChangeRow<'_> {
    fn state(&self) -> ChangeState {
        match self {
            Self::PlannedChange(_, state, _) => *state,
            Self::Skip(_) => ChangeState::Skipped,
        }
    }

    fn view(&self) -> SyncChange {
        match self {
            Self::PlannedChange(change, state, detail) => {
                SyncChange::of(change, *state, detail.map(str::to_owned))
            }
            Self::Skip(skip) => SyncChange::skipped(skip),
        }
    }
}

/// Lists the changes of a run with their results, and skipped users with the reasons.
#[utoipa::path(get, path = "/v1/sync/runs/{id}/changes", tag = "Directory sync",
    params(("id" = String, Path, description = "The run's id"), ChangeQuery),
    responses((status = 200, description = "A page of changes", body = SyncChangePage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<String>,
    InQuery(query): InQuery<ChangeQuery>,
) -> Result<Json<SyncChangePage>, ApiError> {
    let run = model::find_run(&api, &caller, &id).await?;
    let parts = model::reports(&api, &run).await?;
    let from = match query.cursor.as_deref().map(from_cursor).transpose()? {
        Some(text) => text.parse::<usize>().map_err(|_| ApiError::Cursor)?,
        None => 0,
    };
    let rows = rows(&parts, query.state);
    let limit = page_size(query.limit);
    let page = rows.iter().skip(from).take(limit);
    let mut items: Vec<SyncChange> = page.map(ChangeRow::view).collect();
    for item in &mut items {
        item.rejected = item.state == ChangeState::Pinned;
    }
    let store = &api.services.store;
    for item in items
        .iter_mut()
        .filter(|item| item.state == ChangeState::Waiting)
    {
        item.rejected = store.is_pinned(caller.tenant, &item.key).await?;
    }
    let next = from.saturating_add(limit);
    let next_cursor = (next < rows.len()).then(|| to_cursor(&next.to_string()));
    Ok(Json(SyncChangePage {
        items,
        total: rows.len(),
        next_cursor,
    }))
}
