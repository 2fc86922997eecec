//! Receives the browser back from Microsoft's sign-in and consent pages.
//!
//! A browser's parameters can be forged, so only the state is trusted: it is random, stored here,
//! and valid once and for ten minutes. Everything else is proved with Microsoft: the user by the
//! code and the signed identity token, a consent by a request to Microsoft Graph that requires it.

mod callback;
mod entra;
mod identity;
mod mail;
mod params;
mod response;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use rollcall_app::Services;
use rollcall_clients::http::ApiError;
use rollcall_runtime::auth::{Identities, with_common_responses};

/// The maximum size of a body in bytes. A posted response contains little besides a code and a
/// state.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The state that handlers share.
#[derive(Clone)]
struct AppState {
    services: Services,
    identities: Identities,
}

/// Returns the router of the callback.
///
/// # Errors
/// Returns an error if the authority is not a valid URL.
pub fn router(services: Services) -> Result<Router, ApiError> {
    let identities = Identities::new(&services.settings)?;
    let app = AppState {
        services,
        identities,
    };
    let routes = Router::new()
        .route(
            "/oauth/callback",
            get(callback::by_query).post(callback::by_form),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    Ok(with_common_responses(routes).with_state(app))
}
