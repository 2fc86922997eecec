//! `POST /v1/settings/test`: tests credentials with Entra and Learn365, and stores nothing
//!

use axum::Json;
use axum::extract::State;
use rollcall_app::connection_test::EnteredCredentials;
use rollcall_clients::http::Secret;
use rollcall_domain::connection::ConnectionTest;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::EntraAppInput;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::state::ApiState;

/// Credentials to test. Omitted ones are taken from the stored settings.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TestInput {
    /// The address of the Learn365 region.
    lms_url: Option<String>,
    /// The Learn365 API key.
    #[schema(write_only)]
    learn365_api_key: Option<String>,
    /// The app registration in Entra ID.
    entra_app: Option<EntraAppInput>,
}

impl TestInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let input = Self {
            lms_url: body.secret("lmsUrl"),
            learn365_api_key: body.secret("learn365ApiKey"),
            entra_app: EntraAppInput::read(&mut body, JsonBody::secret),
        };
        body.complete(Some(input))
    }
}

/// Tests credentials and permissions without storing anything.
///
/// Each check contains its subject, its result and how to fix a fault. Missing and excess
/// permissions have the names that Entra uses.
#[utoipa::path(post, path = "/v1/settings/test", tag = "Settings", request_body = TestInput,
    responses((status = 200, description = "The result of every check; `ok` is the overall result", body = ConnectionTest)))]
pub(crate) async fn test(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Json<ConnectionTest>, ApiError> {
    let input = TestInput::read(body)?;
    let (client_id, client_secret) = EntraAppInput::parts(input.entra_app);
    let lms_url = if let Some(url) = input.lms_url {
        url.trim_end_matches('/').to_owned()
    } else {
        let tenant = api.services.store.tenant(caller.tenant).await;
        let tenant = tenant?;
        tenant
            .map(|tenant| tenant.settings.lms_url)
            .unwrap_or_default()
    };
    let entered = EnteredCredentials {
        lms_url,
        client_id,
        client_secret: client_secret.map(Secret::new),
        lms_key: input.learn365_api_key.map(Secret::new),
    };
    api.services.vault.forget(caller.tenant);
    let test = api.services.test_connection(caller.tenant, &entered);
    Ok(Json(Box::pin(test).await))
}
