//! What a run did, change by change: made, failed, deferred, waiting, skipped, decided against.

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

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncChangeState)]
pub(crate) enum ChangeState {
    /// It was made.
    Done,
    /// It was refused; the next run tries again.
    Failed,
    /// The next run makes it.
    Deferred,
    /// It waits for somebody.
    Waiting,
    /// Somebody is left as they are; `text` says why.
    Skipped,
    /// People decided against it.
    Pinned,
}

/// Which changes.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Only these; all without.
    state: Option<ChangeState>,
    /// Most changes on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// One change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncChange {
    /// What it is about, for decisions: one thing that can be one way or another.
    key: String,
    /// `user` or `team`.
    about: &'static str,
    /// The person's object id, or the team's key.
    id: String,
    /// What people call them.
    name: String,
    /// What happens: `create`, `link`, `set`, `reactivate`, `deactivate`, `rename`,
    /// `addMember`, `removeMember`, `addSupervisor`, `removeSupervisor`, `archive`,
    /// `restore`, or `skip`.
    action: &'static str,
    /// Which field, of a change of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Field>,
    /// What the learning platform has.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    /// What the directory has.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    /// All of it in one sentence.
    text: String,
    /// How it stands.
    state: ChangeState,
    /// Why it failed or was deferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Whether it undoes what somebody did by hand on the learning platform.
    overwrites_manual: bool,
    /// Whether somebody has rejected it: of one that waits, since.
    rejected: bool,
}

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncChangePage {
    /// In the order in which they were planned.
    items: Vec<SyncChange>,
    /// How many there are in all.
    total: usize,
    /// Where the next page begins; absent at the end.
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

/// A run's reports as rows. What one invocation deferred and the next one did is
/// told by the next one.
fn rows(parts: &[SyncReport], wanted: Option<ChangeState>) -> Vec<ChangeRow<'_>> {
    let mut all = Vec::new();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter().enumerate() {
        let told = |outcome: &&ChangeOutcome| at == last || !outcome.outcome.is_deferred();
        let outcomes = part.outcomes.iter().filter(told);
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

/// Each change of a run, how it ended, and who was skipped and why.
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
