//! `PUT /v1/sync`: checks what was chosen, asks Graph about its filter, stores credentials and configuration.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_clients::graph::GraphError;
use rollcall_clients::vault::{AppRegistration, SyncCredentials};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET};
use rollcall_domain::directory_sync::{SourceConnection, SyncPhase, SyncState};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use url::Url;

use super::input::{Documented, SyncInput};
use super::persist::SyncEdit;
use super::show::SyncView;
use crate::body::JsonBody;
use crate::error::{Refused, broken, stale, stored, unavailable};
use crate::extract::required_version;
use crate::{ApiState, now};

/// Saves the configuration, and credentials where they are entered. The first save
/// needs no `If-Match`, later ones do. A changed configuration has to pass a test
/// before it can be activated; an active sync goes on with it.
#[utoipa::path(put, path = "/v1/sync", tag = "Directory sync", request_body = Documented,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read; not for the first save")),
    responses((status = 200, description = "Saved", body = SyncView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn save(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    mut form: JsonBody,
) -> Result<Response, Refused> {
    let store = &api.services.store;
    let before = store.sync(caller.tenant).await.map_err(stored)?;
    if let Some(before) = &before
        && required_version(&headers)? != before.value.edits
    {
        return Err(stale());
    }
    let known = api.sync_credentials(caller.tenant).await?;
    let state = before.as_ref().map(|before| &before.value);
    let input = SyncInput::read(&mut form, caller.tenant);
    if let Some(input) = &input {
        for problem in api.other_problems(&caller, state, input).await? {
            form.problem(problem.pointer, problem.detail);
        }
    }
    form.finish().map_err(ProblemDetails::invalid)?;
    let input = input.ok_or_else(broken)?;
    let entered = merged(&known, &input).map_err(ProblemDetails::invalid)?;
    let at = now();
    let after = next(state, &input, entered.as_ref(), &caller, at);
    let (after, credentials) = (after, entered.as_ref().unwrap_or(&known));
    api.ask_graph(&caller, state, &after, credentials).await?;
    let edit = SyncEdit {
        input: &input,
        entered: entered.as_ref(),
        known: &known,
        at,
    };
    api.keep_sync(&caller, state, &after, &edit).await?;
    api.sync_view(&caller, None).await
}

/// The credentials as they are with what was entered; `None` when nothing was.
fn merged(
    known: &SyncCredentials,
    input: &SyncInput,
) -> Result<Option<SyncCredentials>, Vec<Problem>> {
    let app = input.app.as_ref();
    let (id, secret) = match app {
        Some(app) => (app.client_id.as_ref(), app.client_secret.as_ref()),
        None => (None, None),
    };
    let stored = known.app.as_ref();
    let same = id.is_some_and(|id| stored.is_some_and(|stored| stored.client_id == *id));
    let is_new = secret.is_some() || (id.is_some() && !same);
    if !is_new && input.token.is_none() {
        return Ok(None);
    }
    let mut credentials = known.clone();
    if is_new {
        let id = id
            .cloned()
            .or_else(|| stored.map(|stored| stored.client_id.clone()));
        let id = id.ok_or_else(|| {
            vec![Problem::at(
                CLIENT_ID,
                "the client id of the app registration is required",
            )]
        })?;
        // A secret belongs to one app.
        let kept = stored
            .filter(|stored| stored.client_id == id)
            .map(AppRegistration::secret);
        let secret = secret.cloned().or(kept);
        let secret = secret.ok_or_else(|| {
            vec![Problem::at(
                CLIENT_SECRET,
                "the client secret of this app registration is required",
            )]
        })?;
        credentials.app = Some(AppRegistration::new(id, secret.expose()));
    }
    if let Some(token) = &input.token {
        credentials = credentials.with_token(token, &input.config.target);
    }
    Ok(Some(credentials))
}

/// The sync with what was chosen and entered.
pub(super) fn next(
    before: Option<&SyncState>,
    input: &SyncInput,
    entered: Option<&SyncCredentials>,
    caller: &Caller,
    at: DateTime<Utc>,
) -> SyncState {
    let fresh = || SyncState::new(input.config.clone(), caller.actor(), at);
    let mut state = before.cloned().unwrap_or_else(fresh);
    state.config = input.config.clone();
    state.edits += 1;
    state.by = caller.actor();
    state.at = at;
    if let Some(app) = entered.and_then(|entered| entered.app.as_ref())
        && input.app.is_some()
    {
        let stored = match &state.source {
            Some(SourceConnection::App { secret_expires, .. }) => *secret_expires,
            _ => None,
        };
        let input = input.app.as_ref();
        let is_new = input.is_some_and(|app| app.client_secret.is_some());
        let told = input.and_then(|app| app.secret_expires);
        state.source = Some(SourceConnection::App {
            client_id: app.client_id.clone(),
            secret_expires: if is_new { told } else { told.or(stored) },
        });
        if state.phase == SyncPhase::Disconnected {
            state.phase = SyncPhase::Inactive;
        }
    } else if let (Some(SourceConnection::App { secret_expires, .. }), Some(app)) =
        (&mut state.source, &input.app)
    {
        *secret_expires = app.secret_expires.or(*secret_expires);
    }
    if entered.is_some() {
        // New credentials resolve what paused it, and have passed no test (S2-50).
        state.credentials += 1;
        state.resolve();
    }
    state.reschedule(at);
    state
}

impl ApiState {
    /// What only this deployment, or what is stored, can tell.
    async fn other_problems(
        &self,
        caller: &Caller,
        before: Option<&SyncState>,
        input: &SyncInput,
    ) -> Result<Vec<Problem>, Refused> {
        let mut problems = Vec::new();
        let target = &input.config.target;
        if !self.services.settings.is_scim_address(target) {
            problems.push(Problem::at(
                "/target",
                "must be the https address of a SCIM 2.0 service that this deployment sends requests to, without user, query or fragment",
            ));
        } else if input.token.is_none()
            && before.is_some_and(|before| origin(&before.config.target) != origin(target))
        {
            // The stored token is for the stored address, and for no other host.
            problems.push(Problem::at(
                "/scimToken",
                "enter the token again: the learning platform's address is another one",
            ));
        }
        let ends = input.app.as_ref().and_then(|app| app.secret_expires);
        if ends.is_some_and(|ends| ends <= now()) {
            problems.push(Problem::at(
                "/entraApp/secretExpires",
                "has passed: enter a secret that is valid, and when that one expires",
            ));
        }
        let changed = before.is_none_or(|before| before.config.notify != input.config.notify);
        if let Some(recipient) = input.config.notify.filter(|_| changed)
            && !self.is_super_admin(caller, recipient).await?
        {
            problems.push(Problem::at(
                "/notify",
                "must be a Super admin who has used Rollcall; GET /v1/sync/recipients lists them",
            ));
        }
        Ok(problems)
    }

    /// A Graph filter is refused in Graph's own words (S3-30). Before the directory
    /// is connected nobody can be asked; the test does then.
    async fn ask_graph(
        &self,
        caller: &Caller,
        before: Option<&SyncState>,
        after: &SyncState,
        credentials: &SyncCredentials,
    ) -> Result<(), Refused> {
        let Some(filter) = &after.config.filters.graph else {
            return Ok(());
        };
        let known = before.and_then(|before| before.config.filters.graph.as_ref());
        if known == Some(filter) || after.source.is_none() {
            return Ok(());
        }
        let graph = self
            .services
            .sync_directory(caller.tenant, after.source.as_ref(), credentials);
        let Ok(graph) = graph.await else {
            return Ok(());
        };
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
        match graph.with_deadline(deadline).try_filter(filter).await {
            Ok(_) => Ok(()),
            Err(GraphError::Api(error)) if error.status() == Some(400) => {
                let detail = format!("Microsoft Graph refuses the filter: {}", error.message());
                Err(ProblemDetails::invalid(vec![Problem::at(
                    "/filters/graph",
                    detail,
                )]))
            }
            // Whatever else is wrong, the test tells it; the filter may be right.
            Err(error) if error.is_auth() => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "a filter cannot be checked");
                Err(unavailable(
                    "Nothing was saved: Microsoft Graph does not answer, so the filter cannot be checked now. Try again shortly.",
                ))
            }
        }
    }
}

fn origin(address: &str) -> Option<String> {
    Url::parse(address)
        .ok()
        .map(|url| url.origin().ascii_serialization())
}
