//! The HTTP API administrators use.
//!
//! A tenant's routes need a verified token; its tenant, and nothing a caller
//! writes, decides whose data an answer shows. [`access::ROUTES`] says who may
//! use which route, and the `OpenAPI` document is made from the handlers.

#![expect(
    unused_qualifications,
    reason = "the macro that documents a route writes the full path of its query"
)]

pub mod access;
mod audit;
mod body;
mod cache;
mod connections;
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
mod runs;
mod sessions;
mod settings;
mod sign_in;
mod tenant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::Method;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, LOCATION,
    RETRY_AFTER,
};
use axum::middleware::from_fn_with_state;
use chrono::{DateTime, SubsecRound, Utc};
use rollcall_app::Services;
use rollcall_runtime::auth;
use rollcall_runtime::auth::{SetupError, Verifier, guard};
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::CorsLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use body::MAX_BODY;

/// Browsers may keep the answer to a preflight so long.
const PREFLIGHT: Duration = Duration::from_hours(1);

/// Answers from this size on are compressed where the caller takes that, in bytes:
/// a function may give back six megabytes, and a schema of many courses is larger.
const COMPRESSED_FROM: u16 = 32 * 1_024;

/// What handlers work with.
#[derive(Clone)]
struct ApiState {
    services: Services,
    verifier: Verifier,
    warm: cache::snapshots::SnapshotCache,
    entitled: cache::entitlements::EntitlementCache,
    seen: cache::admin_activity::AdminActivity,
}

impl FromRef<ApiState> for Verifier {
    fn from_ref(api: &ApiState) -> Self {
        api.verifier.clone()
    }
}

/// The moment, in milliseconds: what people read, and what they send back.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// The API over these services.
///
/// # Errors
/// When `ROLLCALL_API_AUDIENCE` is missing: without it tokens that were issued
/// for other services would be let in.
pub fn router(services: Services) -> Result<Router, SetupError> {
    let verifier = Verifier::new(&services.settings)?;
    let cors = cors(services.settings.frontend_url.as_deref());
    let api = ApiState {
        services,
        verifier,
        warm: cache::snapshots::SnapshotCache::default(),
        entitled: cache::entitlements::EntitlementCache::default(),
        seen: cache::admin_activity::AdminActivity::default(),
    };
    let (routes, _) = all().split_for_parts();
    let routes = routes
        .route_layer(from_fn_with_state(api.clone(), access::guard))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESSED_FROM)));
    Ok(guard(routes).layer(cors).with_state(api))
}

/// Every route with its documentation.
fn all() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(health::show))
        .routes(routes!(openapi::show))
        .routes(routes!(sign_in::show))
        .routes(routes!(tenant::show))
        .routes(routes!(settings::show::show, settings::save::save))
        .routes(routes!(settings::test::test))
        .routes(routes!(lookups::schema))
        .routes(routes!(lookups::users))
        .routes(routes!(lookups::courses))
        .routes(routes!(lookups::catalogs))
        .routes(routes!(profiles::list::list, profiles::save::create))
        .routes(routes!(profiles::preview::draft))
        .routes(routes!(
            profiles::show::show,
            profiles::save::update,
            profiles::delete::delete
        ))
        .routes(routes!(profiles::delete::restore))
        .routes(routes!(profiles::courses::choose))
        .routes(routes!(profiles::versions::list))
        .routes(routes!(profiles::versions::show))
        .routes(routes!(profiles::preview::saved))
        .routes(routes!(profiles::members::list))
        .routes(routes!(profiles::members::workbook))
        .routes(routes!(profiles::explain::explain))
        .routes(routes!(profiles::hold::show))
        .routes(routes!(profiles::hold::approve))
        .routes(routes!(profiles::hold::discard))
        .routes(routes!(runs::list, runs::start::start))
        .routes(routes!(runs::show))
        .routes(routes!(audit::list))
        .merge(connected())
        .merge(synced())
        .routes(routes!(operator::show, operator::change))
        .routes(routes!(installation::show, installation::change))
}

/// What is about connections and what they make possible.
fn connected() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(connections::list::list))
        .routes(routes!(connections::entra::connect))
        .routes(routes!(connections::entra::disconnect))
        .routes(routes!(
            mail_connection::show::show,
            mail_connection::save::save,
            mail_connection::disconnect::disconnect
        ))
        .routes(routes!(mail_connection::connect::connect))
        .routes(routes!(mail_connection::messages::list))
        .routes(routes!(sessions::rooms::list))
        .routes(routes!(sessions::list::list, sessions::save::create))
        .routes(routes!(
            sessions::list::show,
            sessions::save::update,
            sessions::save::cancel
        ))
        .routes(routes!(directory::groups::add))
        .routes(routes!(directory::people::list))
        .routes(routes!(directory::people::show))
        .routes(routes!(directory::groups::list))
        .routes(routes!(directory::guests::invite))
        .routes(routes!(notifications::list))
        .routes(routes!(notifications::read))
}

/// The directory sync.
fn synced() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(
            directory_sync::show::show,
            directory_sync::save::save
        ))
        .routes(routes!(directory_sync::show::recipients))
        .routes(routes!(directory_sync::lifecycle::test))
        .routes(routes!(directory_sync::lifecycle::activate))
        .routes(routes!(directory_sync::lifecycle::deactivate))
        .routes(routes!(directory_sync::connect::connect))
        .routes(routes!(directory_sync::lifecycle::disconnect))
        .routes(routes!(
            directory_sync::runs::list,
            directory_sync::runs::start
        ))
        .routes(routes!(directory_sync::runs::show))
        .routes(routes!(directory_sync::runs::photo))
        .routes(routes!(directory_sync::changes::list))
        .routes(routes!(directory_sync::review::decide))
        .routes(routes!(directory_sync::pins::list))
        .routes(routes!(directory_sync::pins::remove))
        .routes(routes!(
            directory_sync::operator_schedule::set,
            directory_sync::operator_schedule::remove
        ))
}

/// Pages of the console may call, and no others (S4-003 opens there).
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
