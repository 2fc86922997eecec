//! Groups of the directory: searching them and enrolling them in courses (S0-08, S0-09).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_clients::graph::DirectoryGroup;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, CourseId, ObjectId};
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::people::DirectoryQuery;
use super::{reader, refused};
use crate::body::JsonBody;
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, page_size};
use crate::settings::model::tenant;
use crate::state::{ApiState, now};

/// The maximum number of courses in one request.
const MAX_COURSES: usize = 50;

/// A group of the directory.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DirectoryGroup)]
pub(crate) struct GroupView {
    /// The Entra object id.
    id: Uuid,
    name: String,
    description: Option<String>,
    mail: Option<String>,
}

/// The groups found.
#[derive(Serialize, ToSchema)]
#[schema(as = DirectoryGroups)]
pub(crate) struct Groups {
    items: Vec<GroupView>,
}

impl From<DirectoryGroup> for GroupView {
    fn from(it: DirectoryGroup) -> Self {
        Self {
            id: it.id,
            name: it.display_name.unwrap_or_else(|| it.id.to_string()),
            description: it.description,
            mail: it.mail,
        }
    }
}

/// Searches groups in the directory by the beginning of their names.
#[utoipa::path(get, path = "/v1/directory/groups", tag = "Directory", params(DirectoryQuery),
    responses((status = 200, description = "The groups found", body = Groups)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<DirectoryQuery>,
) -> Result<Json<Groups>, ApiError> {
    let directory = reader(&api, caller.tenant).await?;
    let found = directory
        .groups_named(&query.search, page_size(query.limit))
        .await;
    let found = match found {
        Ok(found) => found,
        Err(error) => return Err(refused(&api, caller.tenant, error).await),
    };
    Ok(Json(Groups {
        items: found.into_iter().map(GroupView::from).collect(),
    }))
}

/// A group to add.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GroupInput {
    /// The Entra object id.
    group: ObjectId,
    /// The courses of the catalog to enrol it in; at most 50. Default: none.
    #[schema(value_type = Option<BTreeSet<CourseId>>)]
    courses: BTreeSet<CourseId>,
}

impl GroupInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let group = body.required("group");
        let courses: BTreeSet<CourseId> = body.or_default("courses");
        if courses.len() > MAX_COURSES {
            body.problem(
                "/courses",
                format!("may contain at most {MAX_COURSES} courses"),
            );
        }
        body.complete(group.map(|group| Self { group, courses }))
    }
}

/// The result of adding a group.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Added {
    group: ObjectId,
    /// The courses in which the group is now enrolled.
    enrolled: BTreeSet<CourseId>,
    /// The courses in which it is not enrolled yet, because the platform needs some minutes
    /// to recognize a new group. Repeat the request later.
    waiting: BTreeSet<CourseId>,
}

/// Adds a group of the directory to a catalog and enrols it in courses.
///
/// Repeating the request completes what is left.
#[utoipa::path(post, path = "/v1/catalogs/{id}/groups", tag = "Directory", request_body = GroupInput,
    params(("id" = CatalogId, Path, description = "The catalog")),
    responses((status = 200, description = "Added", body = Added)))]
pub(crate) async fn add(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let GroupInput { group, courses } = GroupInput::read(body)?;
    check_courses(&api, &caller, catalog, &courses).await?;
    let directory = reader(&api, caller.tenant).await?;
    let known = match directory.group_by_id(group).await {
        Ok(known) => known,
        Err(error) => return Err(refused(&api, caller.tenant, error).await),
    };
    let Some(known) = known else {
        let problem = Problem::at("/group", "the directory has no group with this id");
        return Err(problem.into());
    };
    let event = AuditEvent::new(now(), caller.actor(), Action::GroupAdded)
        .on(group, known.display_name.as_deref().unwrap_or_default())
        .with("catalog", catalog)
        .with("courses", courses.len());
    let noted = api.services.store.record(caller.tenant, &event).await;
    noted?;
    let record = tenant(&api, caller.tenant).await?;
    let platform = api.services.learn365(&record).await;
    let platform = platform.map_err(ApiError::PlatformClient)?;
    let seen = platform.find_group(group).await?;
    let login = seen
        .as_ref()
        .map_or_else(|| group.to_string(), |it| it.login_name.clone());
    let joined = platform.add_group_to_catalog(catalog, group, &login).await;
    joined?;
    let mut added = Added {
        group,
        enrolled: BTreeSet::new(),
        waiting: BTreeSet::new(),
    };
    for course in courses {
        let Some(seen) = &seen else {
            added.waiting.insert(course);
            continue;
        };
        let enrolled = platform.enrol_group(course, &seen.login_name).await;
        enrolled?;
        added.enrolled.insert(course);
    }
    Ok((StatusCode::OK, Json(added)).into_response())
}

/// Checks that the catalog exists and contains the courses.
async fn check_courses(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
    courses: &BTreeSet<CourseId>,
) -> Result<(), ApiError> {
    let data = snapshots::current(api, caller.tenant).await?;
    if !data.snapshot.catalogs.iter().any(|it| it.id == catalog) {
        return Err(ApiError::Missing);
    }
    let own = |course: &&CourseId| {
        let known = data.snapshot.course(**course);
        known.is_some_and(|known| known.catalog == catalog)
    };
    let foreign = courses.iter().filter(|course| !own(course));
    let problems: Vec<Problem> = foreign
        .map(|course| {
            Problem::at(
                "/courses",
                format!("{course} is not a course of this catalog"),
            )
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}
