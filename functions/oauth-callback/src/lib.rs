//! Receives the browser back from Microsoft's sign-in.
//!
//! Nothing in this release begins a sign-in, so there is none to finish: every
//! browser that comes is told to start again.

mod callback;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use rollcall_runtime::Services;
use rollcall_runtime::auth::guard;

/// A posted answer holds a code, a state and little else.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The callback over these services.
pub fn router(services: Services) -> Router {
    let routes = Router::new()
        .route(
            "/oauth/callback",
            get(callback::by_query).post(callback::by_form),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    guard(routes).with_state(services)
}
