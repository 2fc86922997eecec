//! Enrols users and groups in a course, and unenrols them.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::system_fields::enumeration;
use super::{Answer, RequestContext, catalog, not_found, refuse, sets};
use crate::call::Reply;
use crate::state::GroupEnrolment;
use crate::world::{Enrolment, Progress};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_login_name: String,
}

/// `POST Courses({id})/Enroll`.
pub(super) fn enroll(context: &mut RequestContext<'_>, course_id: Uuid) -> Answer {
    let catalog_id = live_course(context, course_id)?;
    let (user, login, is_group) = user(context)?;
    if is_enrolled(context, user, course_id, is_group) {
        return Err(refuse(
            400,
            "AlreadyEnrolled",
            "The user is already enrolled in the course.",
        ));
    }
    if !is_group {
        return Ok(enroll_person(context, user, course_id));
    }
    let listed = context.tenant.state.catalog_users.iter().any(|row| {
        row.catalog_id == catalog_id && row.lms_user_id == user && row.visible_at <= context.now
    });
    if !listed {
        let text = "The group is not in the users list of the course catalog.";
        return Err(refuse(400, "NotInCatalog", text));
    }
    let row = GroupEnrolment {
        id: Uuid::new_v4(),
        course_id,
        lms_group_id: user,
        registered_at: context.now,
    };
    let reply = group_reply(context, &row, &login);
    context.tenant.state.group_enrolments.push(row);
    Ok(Reply::json(201, reply))
}

/// `POST Courses({id})/Unenroll`.
pub(super) fn unenroll(context: &mut RequestContext<'_>, course_id: Uuid) -> Answer {
    live_course(context, course_id)?;
    let (user, _, is_group) = user(context)?;
    if !is_enrolled(context, user, course_id, is_group) {
        return Err(refuse(
            400,
            "NotEnrolled",
            "The user is not enrolled in the course.",
        ));
    }
    let state = &mut context.tenant.state;
    if is_group {
        state
            .group_enrolments
            .retain(|row| row.lms_group_id != user || row.course_id != course_id);
    } else {
        state
            .world
            .enrolments
            .retain(|row| row.lms_user_id != user || row.course_id != course_id);
        context
            .tenant
            .index
            .rebuild_enrolled(&context.tenant.state.world);
    }
    Ok(Reply::empty(204))
}

fn enroll_person(context: &mut RequestContext<'_>, lms_user_id: Uuid, course_id: Uuid) -> Reply {
    let row = Enrolment {
        id: Uuid::new_v4(),
        course_id,
        lms_user_id,
        status: Progress::NotStarted,
        registered_at: context.now,
        completed_at: None,
        due_at: None,
    };
    let reply = sets::enrolment(context.tenant, &row);
    context.tenant.state.world.enrolments.push(row);
    context.tenant.index.enrolled.push((lms_user_id, course_id));
    Reply::json(201, reply)
}

fn group_reply(context: &RequestContext<'_>, row: &GroupEnrolment, login: &str) -> Value {
    json!({
        "Id": row.id,
        "CourseId": row.course_id,
        "UserId": row.lms_group_id,
        "UserLoginName": login,
        "Roles": ["Learner"],
        "RegistrationDate": row.registered_at,
        "RegistrationStatus": enumeration(context.tenant, "Approved", 1),
        "CoursePassingStatus": enumeration(context.tenant, "NotStarted", 1),
        "IsPartOfTrainingPlan": false,
        "CanUnenroll": true,
    })
}

/// Returns the catalog of a course that exists and is not deleted.
fn live_course(context: &RequestContext<'_>, id: Uuid) -> Result<Uuid, Reply> {
    let at = context.tenant.index.courses.get(&id);
    let course = at.map(|at| &context.tenant.state.world.courses[*at]);
    let course = course.filter(|course| !course.deleted);
    course
        .map(|it| it.catalog_id)
        .ok_or_else(|| not_found("The course was not found."))
}

/// Returns id, login name, and whether it is a group, for the user in the body.
fn user(context: &RequestContext<'_>) -> Result<(Uuid, String, bool), Reply> {
    let body: Body = serde_json::from_str(&context.call.body)
        .map_err(|error| refuse(400, "BadRequest", &error.to_string()))?;
    let login = body.user_login_name;
    let id = catalog::find(context, &login).ok_or_else(|| {
        refuse(
            400,
            "UserNotFound",
            &format!("The user '{login}' was not found."),
        )
    })?;
    let is_group = context
        .tenant
        .state
        .lms_groups
        .iter()
        .any(|group| group.id == id);
    Ok((id, login, is_group))
}

fn is_enrolled(context: &RequestContext<'_>, user: Uuid, course: Uuid, is_group: bool) -> bool {
    let state = &context.tenant.state;
    if is_group {
        let mut rows = state.group_enrolments.iter();
        return rows.any(|row| row.lms_group_id == user && row.course_id == course);
    }
    state
        .world
        .enrolments
        .iter()
        .any(|row| row.lms_user_id == user && row.course_id == course)
}
