//! `GET /v1/sign-in`: where and how the console signs people in, per cloud.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::ApiState;

/// What a page needs to begin a sign-in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignIn {
    /// The cloud this deployment serves: `global`, `usgov` or `dod`.
    cloud: &'static str,
    /// The authority people sign in at; another one for GCC High (S4-004).
    authority: String,
    /// The scope that asks for tokens for this API.
    scope: String,
}

/// Where people sign in. Anybody may ask: it is needed before there is a token.
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
