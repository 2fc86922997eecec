//! `PUT /v1/sync`: checks the configuration, tests its filter with Graph, and stores it with
//! the credentials.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use rollcall_clients::graph::GraphError;
use rollcall_clients::vault::SyncCredentials;
use rollcall_domain::base::problem::Problem;
use rollcall_domain::directory_sync::SyncState;
use rollcall_runtime::auth::Caller;
use url::Url;

use super::edit::{SyncEdit, merged, next};
use super::input::{Documented, SyncInput};
use super::persist::persist;
use super::show::SyncView;
use super::{model, show};
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::required_version;
use crate::state::{ApiState, now};

/// Saves the configuration, and credentials if any are given.
///
/// `If-Match` is required except for the first save. A changed configuration has to pass
/// a test before it can be activated; an active sync continues with it.
#[utoipa::path(put, path = "/v1/sync", tag = "Directory sync", request_body = Documented,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read; not required for the first save")),
    responses((status = 200, description = "Saved", body = SyncView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn save(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    mut body: JsonBody,
) -> Result<Response, ApiError> {
    let store = &api.services.store;
    let before = store.sync(caller.tenant).await?;
    if let Some(before) = &before
        && required_version(&headers)? != before.value.edits
    {
        return Err(ApiError::Stale);
    }
    let known = model::credentials(&api, caller.tenant).await?;
    let state = before.as_ref().map(|before| &before.value);
    let input = SyncInput::read(&mut body, caller.tenant);
    if let Some(input) = &input {
        for problem in other_problems(&api, &caller, state, input).await? {
            body.problem(problem.pointer, problem.detail);
        }
    }
    body.finish()?;
    let input = input.ok_or(ApiError::Inconsistent)?;
    let entered = merged(&known, &input)?;
    let at = now();
    let after = next(state, &input, entered.as_ref(), &caller, at);
    let (after, credentials) = (after, entered.as_ref().unwrap_or(&known));
    check_filter(&api, &caller, state, &after, credentials).await?;
    let edit = SyncEdit {
        input: &input,
        entered: entered.as_ref(),
        known: &known,
        at,
    };
    persist(&api, &caller, state, &after, &edit).await?;
    show::view_response(&api, &caller, None).await
}

/// Returns the problems that depend on the deployment or on stored data.
async fn other_problems(
    api: &ApiState,
    caller: &Caller,
    before: Option<&SyncState>,
    input: &SyncInput,
) -> Result<Vec<Problem>, ApiError> {
    let mut problems = Vec::new();
    let target = &input.config.target;
    if !api.services.settings.is_scim_address(target) {
        problems.push(Problem::at(
            "/target",
            "must be the https address of a SCIM 2.0 service to which this deployment may send requests, without user, query or fragment",
        ));
    } else if input.token.is_none()
        && before.is_some_and(|before| origin(&before.config.target) != origin(target))
    {
        // The stored token must not be sent to another host.
        problems.push(Problem::at(
            "/scimToken",
            "enter the token again, because the address of the learning platform has changed",
        ));
    }
    let ends = input.app.as_ref().and_then(|app| app.secret_expires);
    if ends.is_some_and(|ends| ends <= now()) {
        problems.push(Problem::at(
            "/entraApp/secretExpires",
            "has passed; enter a valid secret and its expiry",
        ));
    }
    let changed = before.is_none_or(|before| before.config.notify != input.config.notify);
    if let Some(recipient) = input.config.notify.filter(|_| changed)
        && !model::is_super_admin(api, caller, recipient).await?
    {
        problems.push(Problem::at(
            "/notify",
            "must be a Super admin who has used Rollcall; GET /v1/sync/recipients lists them",
        ));
    }
    Ok(problems)
}

/// Checks a Graph filter and returns Graph's own message if it is invalid (S3-30). Before
/// the directory is connected the filter is checked only by the test.
async fn check_filter(
    api: &ApiState,
    caller: &Caller,
    before: Option<&SyncState>,
    after: &SyncState,
    credentials: &SyncCredentials,
) -> Result<(), ApiError> {
    let Some(filter) = &after.config.filters.graph else {
        return Ok(());
    };
    let known = before.and_then(|before| before.config.filters.graph.as_ref());
    if known == Some(filter) || after.source.is_none() {
        return Ok(());
    }
    let graph = api
        .services
        .sync_directory(caller.tenant, after.source.as_ref(), credentials);
    let Ok(graph) = graph.await else {
        return Ok(());
    };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
    match graph.with_deadline(deadline).try_filter(filter).await {
        Ok(_) => Ok(()),
        Err(GraphError::Api(error)) if error.status() == Some(400) => {
            let detail = format!("Microsoft Graph rejects the filter: {}", error.message());
            Err(Problem::at("/filters/graph", detail).into())
        }
        // The filter may be valid; the test reports other errors.
        Err(error) if error.is_auth() => Ok(()),
        Err(error) => Err(ApiError::Filter(error)),
    }
}

fn origin(address: &str) -> Option<String> {
    Url::parse(address)
        .ok()
        .map(|url| url.origin().ascii_serialization())
}
