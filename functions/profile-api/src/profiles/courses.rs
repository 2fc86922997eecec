//! `PUT /v1/profiles/{id}/courses`: changes only the course selection (S4-089a, S4-111).

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use rollcall_domain::audience::profile::MAX_COURSES;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::audit::Action;
use rollcall_domain::base::ids::{CatalogId, CourseId, ProfileId};
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::model;
use super::save::{saved_response, update_event};
use super::validation::unknown_courses;
use crate::body::JsonBody;
use crate::cache::snapshots;
use crate::cache::snapshots::CachedSnapshot;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, required_version};
use crate::state::{ApiState, now};

/// The courses of a profile.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CoursesInput {
    /// All courses to enrol in; at most 500.
    #[schema(value_type = BTreeSet<CourseId>)]
    courses: Vec<CourseId>,
}

impl CoursesInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let courses = body.required("courses");
        body.complete(courses.map(|courses| Self { courses }))
    }
}

/// Replaces the courses of a profile.
///
/// Catalog admins may add and remove courses of their own catalogs; other courses must
/// remain unchanged.
#[utoipa::path(put, path = "/v1/profiles/{id}/courses", tag = "Profiles", request_body = CoursesInput,
    params(("id" = ProfileId, Path, description = "The profile"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "Saved", body = super::view::ProfileView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn choose(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let expected = required_version(&headers)?;
    let CoursesInput { courses } = CoursesInput::read(body)?;
    let before = model::active_profile(&api, caller.tenant, id, expected).await?;
    let data = snapshots::current(&api, caller.tenant).await?;
    let problems = problems(&data, &courses, &before.profile);
    let chosen: BTreeSet<CourseId> = courses.iter().copied().collect();
    let changed: BTreeSet<CourseId> = chosen
        .symmetric_difference(&before.profile.courses)
        .copied()
        .collect();
    if let Some(own) = catalogs::own_catalogs(&api, &caller).await? {
        let foreign = foreign(&data, &own, &changed);
        if !foreign.is_empty() {
            return Err(not_yours(foreign));
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let at = now();
    let mut profile = before.profile.clone();
    profile.courses = chosen;
    profile.modified_at = at;
    profile.modified_by.clone_from(&caller.name);
    let event = update_event(
        &caller,
        at,
        Action::CoursesChanged,
        &before.profile,
        &profile,
    );
    let read =
        model::save_profile(&api, caller.tenant, profile, Some(expected), &event, None).await?;
    Ok(saved_response(&api, caller.tenant, read, Vec::new()).await)
}

fn problems(data: &CachedSnapshot, courses: &[CourseId], before: &Profile) -> Vec<Problem> {
    let unknown = unknown_courses(data, courses, Some(before));
    let mut problems: Vec<Problem> = unknown.take(100).collect();
    if courses.len() > MAX_COURSES {
        problems.push(Problem::at(
            "/courses",
            format!("may contain at most {MAX_COURSES} courses"),
        ));
    }
    problems
}

/// Returns a problem for each added or removed course of a catalog that the caller does
/// not administer. Courses that no longer exist may always be removed.
fn foreign(
    data: &CachedSnapshot,
    own: &BTreeSet<CatalogId>,
    changed: &BTreeSet<CourseId>,
) -> Vec<Problem> {
    changed
        .iter()
        .filter_map(|course| data.snapshot.course(*course))
        .filter(|course| !own.contains(&course.catalog))
        .map(|course| {
            Problem::at(
                "",
                format!(
                    "the course {:?} is in a catalog you do not administer",
                    course.title
                ),
            )
        })
        .collect()
}

fn not_yours(courses: Vec<Problem>) -> ApiError {
    let detail = "You may only add and remove courses of the catalogs that you administer.";
    ProblemDetails::new(StatusCode::FORBIDDEN, detail)
        .of_kind("not-your-catalog")
        .with(courses)
        .into()
}
