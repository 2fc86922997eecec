//! `POST /v1/directory/guests`: invites an external user (S0-12).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_domain::audience::settings::is_mail_address;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{refused, writer};
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::state::{ApiState, now};

/// A guest to invite.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GuestInput {
    /// The e-mail address to which the invitation is sent.
    address: String,
}

impl GuestInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let address: Option<String> = body.required("address");
        let address = address.unwrap_or_default().trim().to_owned();
        if !is_mail_address(&address) {
            body.problem(
                "/address",
                "must be an e-mail address, such as kay@fabrikam.com",
            );
        }
        body.complete(Some(Self { address }))
    }
}

/// The invited guest.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Guest {
    /// The Entra object id; it does not change when the invitation is accepted.
    id: ObjectId,
    address: String,
}

/// Invites a guest to the directory.
///
/// Microsoft sends the invitation; its link leads to the console after it is accepted.
#[utoipa::path(post, path = "/v1/directory/guests", tag = "Directory", request_body = GuestInput,
    responses((status = 201, description = "Invited", body = Guest)))]
pub(crate) async fn invite(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let GuestInput { address } = GuestInput::read(body)?;
    let directory = writer(&api, caller.tenant).await?;
    // The event is recorded before the invitation is sent: an event of a failed invitation is
    // better than an invitation without an event.
    let event =
        AuditEvent::new(now(), caller.actor(), Action::GuestInvited).with("address", &address);
    let noted = api.services.store.record(caller.tenant, &event).await;
    noted?;
    let back = api.services.console("/");
    let id = match directory.invite_guest(&address, &back).await {
        Ok(id) => id,
        Err(error) if error.status() == Some(400) => {
            let problem = "the directory rejects this address for a guest; it may belong to a user of your organisation";
            return Err(Problem::at("/address", problem).into());
        }
        Err(error) => return Err(refused(&api, caller.tenant, error).await),
    };
    Ok((StatusCode::CREATED, Json(Guest { id, address })).into_response())
}
