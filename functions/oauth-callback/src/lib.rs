//! Receives the browser back from Microsoft's sign-in and consent pages.
//!
//! What a browser brings can be forged, so nothing of it decides but the state,
//! which is random, stored here, good once and for ten minutes. Everything else
//! is proved with Microsoft: who signed in by the code and the signed identity
//! token, a consent by using it.

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
use rollcall_runtime::auth::{Identities, guard};

/// A posted answer holds a code, a state and little else.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What handlers work with.
#[derive(Clone)]
struct AppState {
    services: Services,
    identities: Identities,
}

/// The callback over these services.
///
/// # Errors
/// When the authority is no address.
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
    Ok(guard(routes).with_state(app))
}
