//! The choices of the rule editor: fields, learners, courses and catalogs. All of them come
//! from the last refresh, never live from Learn365 (S4-089d).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::snapshot::name_order::Person;
use rollcall_domain::snapshot::schema::{Schema, SchemaCourse};
use rollcall_domain::snapshot::search;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::cache::snapshots;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InQuery, etag, has_already, page_size};
use crate::state::ApiState;

/// Returns fields, operators, values and courses in the configuration format of
/// react-querybuilder (S4-099).
///
/// Each refresh publishes a new schema with a new `ETag`.
#[utoipa::path(get, path = "/v1/schema", tag = "Choices",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of the schema that the client has")),
    responses((status = 200, description = "The schema of the current snapshot", body = Schema,
            headers(("ETag" = String, description = "The version, which changes with each refresh"))),
        (status = 304, description = "The schema has not changed")))]
pub(crate) async fn schema(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let pointer = api.services.store.snapshot_pointer(caller.tenant).await;
    let pointer = pointer?.ok_or(ApiError::NotReady)?;
    let tag = etag(&pointer.id);
    if has_already(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let bytes = api.services.objects.get(&pointer.schema_key).await;
    let bytes = bytes?;
    let headers = [
        (ETAG, tag),
        (
            CONTENT_TYPE,
            axum::http::HeaderValue::from_static("application/json"),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// The query of a search for learners.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Words of the name or e-mail address, or a complete address, user id or Entra object
    /// id. Default: all learners by name.
    #[serde(default)]
    search: String,
    /// The maximum number of learners, 1 to 200. Default: 50.
    limit: Option<u32>,
}

/// The learners found.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserList {
    /// The total number of matches.
    total: usize,
    /// The best matches.
    items: Vec<Person>,
}

/// Searches learners, for example for overrides (S4-088c).
#[utoipa::path(get, path = "/v1/users", tag = "Choices", params(UserQuery),
    responses((status = 200, description = "Learners found", body = UserList)))]
pub(crate) async fn users(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<UserQuery>,
) -> Result<Json<UserList>, ApiError> {
    let data = snapshots::current(&api, caller.tenant).await?;
    let limit = page_size(query.limit);
    let found = search::people(&data.snapshot, data.order(), &query.search, limit);
    Ok(Json(UserList {
        total: found.total,
        items: found.entries,
    }))
}

/// The query of a search for courses.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CourseQuery {
    /// Words of the title. Default: all courses.
    #[serde(default)]
    search: String,
    /// The maximum number of courses, 1 to 200. Default: 50.
    limit: Option<u32>,
}

/// The courses found.
#[derive(Serialize, ToSchema)]
pub(crate) struct CourseList {
    /// The total number of matches.
    total: usize,
    /// The matches, by title.
    items: Vec<SchemaCourse>,
}

/// Searches courses, for enrolment and for rules.
#[utoipa::path(get, path = "/v1/courses", tag = "Choices", params(CourseQuery),
    responses((status = 200, description = "Courses found", body = CourseList)))]
pub(crate) async fn courses(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<CourseQuery>,
) -> Result<Json<CourseList>, ApiError> {
    let data = snapshots::current(&api, caller.tenant).await?;
    let found = search::courses(&data.snapshot, &query.search, page_size(query.limit));
    Ok(Json(CourseList {
        total: found.total,
        items: found.entries,
    }))
}

/// A catalog.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CatalogItem {
    /// The id of the catalog.
    id: CatalogId,
    /// The title of the catalog.
    title: String,
    /// The number of its courses.
    courses: usize,
    /// True if the caller may choose its courses.
    mine: bool,
}

/// The tenant's catalogs.
#[derive(Serialize, ToSchema)]
pub(crate) struct CatalogList {
    /// The catalogs, by title.
    items: Vec<CatalogItem>,
}

/// Lists the course catalogs (S4-011) and which of them the caller may work on.
#[utoipa::path(get, path = "/v1/catalogs", tag = "Choices",
    responses((status = 200, description = "All catalogs", body = CatalogList)))]
pub(crate) async fn catalogs(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<CatalogList>, ApiError> {
    let data = snapshots::current(&api, caller.tenant).await?;
    let own = catalogs::own_catalogs(&api, &caller).await?;
    let mut sizes: BTreeMap<CatalogId, usize> = BTreeMap::new();
    for course in &data.snapshot.courses {
        *sizes.entry(course.catalog).or_default() += 1;
    }
    let catalogs = data.snapshot.catalogs.iter();
    let mut items: Vec<CatalogItem> = catalogs
        .map(|catalog| CatalogItem {
            id: catalog.id,
            title: catalog.title.clone(),
            courses: sizes.get(&catalog.id).copied().unwrap_or_default(),
            mine: own.as_ref().is_none_or(|own| own.contains(&catalog.id)),
        })
        .collect();
    items.sort_by(|a, b| a.title.cmp(&b.title));
    Ok(Json(CatalogList { items }))
}
