//! Decisions on a comparison: on single changes or on all, and its approval (S3-20, S3-21).

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::schedule::Slot;
use rollcall_domain::directory_sync::{Pin, PlannedChange, SyncReport, SyncState};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SUBJECT;
use super::model;
use super::run_view::{run_id, slot_of};
use super::runs::start_manual_run;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::InPath;
use crate::state::{ApiState, now};

/// The maximum number of stored rejections of a tenant.
const MAX_PINS: usize = 20_000;
/// The maximum number of changes in each list of a request.
const MAX_NAMED: usize = 2_000;

/// The decisions on a comparison. `accept` and `reject` take precedence over `all`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncDecisions)]
pub(crate) struct Decisions {
    /// The decision on all waiting changes.
    all: Option<Verdict>,
    /// The keys of changes to make; at most 2,000.
    #[schema(value_type = Option<Vec<String>>)]
    accept: Vec<String>,
    /// The keys of changes to reject, now and in later runs; at most 2,000.
    #[schema(value_type = Option<Vec<String>>)]
    reject: Vec<String>,
    /// True to apply all changes that are not rejected. Default: `false`.
    #[schema(value_type = Option<bool>)]
    apply: bool,
}

impl Decisions {
    fn read(body: &mut JsonBody) -> Self {
        Self {
            all: body.optional("all"),
            accept: body.optional("accept").unwrap_or_default(),
            reject: body.optional("reject").unwrap_or_default(),
            apply: body.or_default("apply"),
        }
    }

    /// Records the problems of the decisions on these changes.
    fn check(&self, body: &mut JsonBody, waiting: &BTreeMap<String, &PlannedChange>) {
        let Self { accept, reject, .. } = self;
        for (name, keys) in [("accept", accept), ("reject", reject)] {
            if keys.len() > MAX_NAMED {
                body.problem(
                    format!("/{name}"),
                    format!("may name at most {MAX_NAMED} changes; use all instead"),
                );
            }
            for (at, key) in keys
                .iter()
                .enumerate()
                .filter(|(_, key)| !waiting.contains_key(*key))
            {
                let shown: String = key.chars().take(120).collect();
                body.problem(
                    format!("/{name}/{at}"),
                    format!("no change of this comparison has the key {shown:?}"),
                );
            }
        }
        let both: BTreeSet<&String> = accept.iter().filter(|key| reject.contains(key)).collect();
        if !both.is_empty() {
            body.problem("/accept", "contains changes that are also rejected");
        }
        if self.all.is_none() && accept.is_empty() && reject.is_empty() && !self.apply {
            body.problem("", "a decision is required: all, accept, reject or apply");
        }
    }
}

/// A decision on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncVerdict)]
pub(crate) enum Verdict {
    /// The change may be made.
    Accept,
    /// The change is not made.
    Reject,
}

/// The result of the decisions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncDecided)]
pub(crate) struct Decided {
    /// The number of changes that are not rejected.
    accepted: usize,
    /// The number of rejected changes.
    rejected: usize,
    /// The id of the run that applies them, if `apply` was true.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

/// Decides on the waiting comparison.
///
/// A rejection also applies to later runs. A newer comparison replaces this one.
#[utoipa::path(post, path = "/v1/sync/runs/{id}/decisions", tag = "Directory sync", request_body = Decisions,
    params(("id" = String, Path, description = "The run that made the comparison")),
    responses(
        (status = 200, description = "Decided", body = Decided),
        (status = 202, description = "Decided; the header Location contains the path of the run that applies the changes", body = Decided)))]
pub(crate) async fn decide(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<String>,
    mut body: JsonBody,
) -> Result<Response, ApiError> {
    let decisions = Decisions::read(&mut body);
    let slot = slot_of(&id).ok_or(ApiError::Missing)?;
    let state = model::find(&api, caller.tenant).await?.value;
    pending(&state, slot)?;
    let run = model::find_run(&api, &caller, &id).await?;
    let parts = model::reports(&api, &run).await?;
    let waiting: BTreeMap<String, &PlannedChange> = keyed(parts.last());
    decisions.check(&mut body, &waiting);
    body.finish()?;
    let (yes, no) = verdicts(&waiting, &decisions);
    save_decisions(&api, &caller, &id, &waiting, yes, &no).await?;
    let rejected = count_rejected(&api, &caller, &waiting).await?;
    let mut decided = Decided {
        accepted: waiting.len() - rejected,
        rejected,
        run: None,
    };
    if !decisions.apply {
        return Ok(Json(decided).into_response());
    }
    let next = approve_comparison(&api, &caller, slot).await?;
    let location = format!("/v1/sync/runs/{}", run_id(next));
    decided.run = Some(run_id(next));
    let head = [(axum::http::header::LOCATION, location)];
    Ok((StatusCode::ACCEPTED, head, Json(decided)).into_response())
}

/// Checks that the comparison of this run waits for a decision (S3-22).
fn pending(state: &SyncState, slot: Slot) -> Result<(), ApiError> {
    match &state.pending {
        Some(pending) if pending.run == slot && pending.approved.is_some() => {
            Err(ApiError::conflict(
                "decided",
                "An administrator has already approved this comparison; a run will apply it or is applying it.",
            ))
        }
        Some(pending) if pending.run == slot => Ok(()),
        Some(pending) => Err(ApiError::conflict(
            "superseded",
            format!(
                "A newer comparison has replaced this one: {}.",
                run_id(pending.run)
            ),
        )),
        None => Err(ApiError::conflict(
            "nothing-waits",
            "No change of this run waits for a decision.",
        )),
    }
}

fn keyed(report: Option<&SyncReport>) -> BTreeMap<String, &PlannedChange> {
    let waiting = report.into_iter().flat_map(|report| &report.waiting);
    waiting.map(|change| (change.key(), change)).collect()
}

/// Returns the keys that this request accepts and those that it rejects.
fn verdicts(
    waiting: &BTreeMap<String, &PlannedChange>,
    decisions: &Decisions,
) -> (Vec<String>, Vec<String>) {
    let Decisions { accept, reject, .. } = decisions;
    let (mut yes, mut no) = (accept.clone(), reject.clone());
    let named: BTreeSet<&String> = accept.iter().chain(reject).collect();
    let others = waiting.keys().filter(|key| !named.contains(key)).cloned();
    match decisions.all {
        Some(Verdict::Accept) => yes.extend(others),
        Some(Verdict::Reject) => no.extend(others),
        None => {}
    }
    (yes, no)
}

async fn save_decisions(
    api: &ApiState,
    caller: &Caller,
    run: &str,
    waiting: &BTreeMap<String, &PlannedChange>,
    yes: Vec<String>,
    no: &[String],
) -> Result<(), ApiError> {
    if yes.is_empty() && no.is_empty() {
        return Ok(());
    }
    let store = &api.services.store;
    let pins = store.pins(caller.tenant).await?;
    let known = pins.len();
    // Only accepted changes that were rejected before need a write.
    let back: BTreeSet<&String> = yes.iter().filter(|key| pins.has(key)).collect();
    let back: Vec<String> = back.into_iter().cloned().collect();
    let no: BTreeSet<&String> = no.iter().collect();
    if known + no.len() > MAX_PINS {
        let detail = format!(
            "At most {MAX_PINS} rejections are stored, and {known} exist already; withdraw some, or change the filters."
        );
        return Err(ApiError::conflict("too-many-decisions", &detail));
    }
    let at = now();
    let changes = no.into_iter().filter_map(|key| waiting.get(key));
    let pins: Vec<Pin> = changes
        .map(|change| Pin::against(change, caller.actor(), at))
        .collect();
    let event = AuditEvent::new(at, caller.actor(), Action::SyncDecided)
        .on(run, SUBJECT.1)
        .with("accepted", yes.len())
        .with("rejected", pins.len());
    store.decide(caller.tenant, &pins, &back, &event).await?;
    Ok(())
}

async fn count_rejected(
    api: &ApiState,
    caller: &Caller,
    waiting: &BTreeMap<String, &PlannedChange>,
) -> Result<usize, ApiError> {
    let pins = api.services.store.pins(caller.tenant).await?;
    Ok(waiting.values().filter(|change| pins.holds(change)).count())
}

/// Approves the changes that are not rejected. A run compares again and makes those that
/// are still the same.
async fn approve_comparison(api: &ApiState, caller: &Caller, slot: Slot) -> Result<Slot, ApiError> {
    let at = now();
    let events =
        [AuditEvent::new(at, caller.actor(), Action::SyncApproved).on(run_id(slot), SUBJECT.1)];
    let mut won = false;
    let changed = api
        .services
        .store
        .change_sync(caller.tenant, &events, |state| {
            let open = state
                .pending
                .as_mut()
                .filter(|it| it.run == slot && it.approved.is_none());
            won = open.is_some();
            if let Some(pending) = open {
                pending.approved = Some((caller.actor(), at));
            }
            won
        });
    let after = changed.await?;
    if !won {
        pending(&after, slot)?;
    }
    match start_manual_run(api, caller).await {
        Ok(next) => Ok(next),
        Err(refused) => {
            let back = api.services.store.change_sync(caller.tenant, &[], |state| {
                let pending = state.pending.as_mut().filter(|it| it.run == slot);
                pending.is_some_and(|pending| pending.approved.take().is_some())
            });
            if let Err(error) = back.await {
                refused.log();
                return Err(error.into());
            }
            Err(refused)
        }
    }
}
