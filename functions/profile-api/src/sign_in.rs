//! `GET /v1/sign-in`: where and how users sign in to the console, per cloud.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::ApiState;

/// The data that a page needs to start a sign-in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignIn {
    /// The cloud that this deployment serves: `global`, `usgov` or `dod`.
    cloud: &'static str,
    /// The authority at which users sign in; GCC High has its own (S4-004).
    authority: String,
    /// The scope to request for tokens for this API.
    scope: String,
}

/// Returns where users sign in.
///
/// No token is required, because it is needed to obtain one.
#[utoipa::path(get, path = "/v1/sign-in", tag = "Service",
    responses((status = 200, description = "Authority and scope of this deployment's cloud", body = SignIn)))]
pub(crate) async fn show(State(api): State<ApiState>) -> Json<SignIn> {
    let settings = &api.services.settings;
    let audience = settings.api_audience.as_deref().unwrap_or_default();
    Json(SignIn {
        cloud: settings.cloud.name(),
        authority: format!("{}/organizations", settings.entra_url),
        scope: format!("{audience}/.default"),
    })
}
