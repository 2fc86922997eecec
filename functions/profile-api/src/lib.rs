//! The HTTP API for administrators.
//!
//! The routes of tenants require a verified token. Only the token's tenant, never a value in
//! the request, determines which tenant's data is accessed. The router, the permission of
//! each route and the `OpenAPI` document are made from one table, `ROUTES` in `routes.rs`.

#![expect(
    unused_qualifications,
    reason = "the macro that documents a route writes the full path of its query"
)]

pub mod access;
mod audit;
mod body;
mod cache;
mod catalogs;
mod connections;
mod deserialize_error;
mod directory;
mod directory_sync;
mod error;
mod extract;
mod health;
mod installation;
mod lookups;
mod mail_connection;
mod notifications;
pub mod openapi;
mod operator;
mod profiles;
mod routes;
mod runs;
mod sessions;
mod settings;
mod sign_in;
mod state;
mod tenant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, LOCATION,
    RETRY_AFTER,
};
use axum::middleware::from_fn_with_state;
use rollcall_app::Services;
use rollcall_runtime::auth;
use rollcall_runtime::auth::{SetupError, Verifier, with_common_responses};
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::CorsLayer;

pub use body::MAX_BODY;
use state::ApiState;

/// The time for which browsers may cache the response to a preflight request.
const PREFLIGHT: Duration = Duration::from_hours(1);

/// The size in bytes from which responses are compressed if the client accepts it: a
/// function may return six megabytes, and a schema with many courses is larger.
const COMPRESSED_FROM: u16 = 32 * 1_024;

/// Returns the router of the API.
///
/// # Errors
/// If `ROLLCALL_API_AUDIENCE` is missing: without it tokens that were issued for other
/// services would be accepted.
pub fn router(services: Services) -> Result<Router, SetupError> {
    let verifier = Verifier::new(&services.settings)?;
    let cors = cors(services.settings.frontend_url.as_deref());
    let api = ApiState::new(services, verifier);
    let (routes, _) = routes::router().split_for_parts();
    let routes = routes
        .route_layer(from_fn_with_state(api.clone(), access::authorize))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESSED_FROM)));
    Ok(with_common_responses(routes).layer(cors).with_state(api))
}

/// Returns the CORS policy: only pages of the console may call the API (S4-003).
fn cors(frontend: Option<&str>) -> CorsLayer {
    let origin = frontend.and_then(|origin| HeaderValue::from_str(origin).ok());
    let exposed: [HeaderName; 4] = [ETAG, LOCATION, RETRY_AFTER, auth::middleware::REQUEST_ID];
    CorsLayer::new()
        .allow_origin(origin.into_iter().collect::<Vec<_>>())
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH])
        .expose_headers(exposed)
        .max_age(PREFLIGHT)
}
