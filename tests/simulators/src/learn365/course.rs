//! Enrols users and groups in a course, and unenrols them.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::system_fields::enumeration;
use super::{Answer, Desk, catalog, not_found, refuse, sets};
use crate::call::Reply;
use crate::state::GroupEnrolment;
use crate::world::{Enrolment, Progress};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_login_name: String,
}

/// `POST Courses({id})/Enroll`.
pub(super) fn enroll(desk: &mut Desk<'_>, course_id: Uuid) -> Answer {
    let catalog_id = live_course(desk, course_id)?;
    let (user, login, is_group) = user(desk)?;
    if is_enrolled(desk, user, course_id, is_group) {
        return Err(refuse(
            400,
            "AlreadyEnrolled",
            "The user is already enrolled in the course.",
        ));
    }
    if !is_group {
        return Ok(enroll_person(desk, user, course_id));
    }
    let listed = desk.tenant.state.catalog_users.iter().any(|row| {
        row.catalog_id == catalog_id && row.lms_user_id == user && row.visible_at <= desk.now
    });
    if !listed {
        let text = "The group is not in the users list of the course catalog.";
        return Err(refuse(400, "NotInCatalog", text));
    }
    let row = GroupEnrolment {
        id: Uuid::new_v4(),
        course_id,
        lms_group_id: user,
        registered_at: desk.now,
    };
    let reply = group_reply(desk, &row, &login);
    desk.tenant.state.group_enrolments.push(row);
    Ok(Reply::json(201, reply))
}

/// `POST Courses({id})/Unenroll`.
pub(super) fn unenroll(desk: &mut Desk<'_>, course_id: Uuid) -> Answer {
    live_course(desk, course_id)?;
    let (user, _, is_group) = user(desk)?;
    if !is_enrolled(desk, user, course_id, is_group) {
        return Err(refuse(
            400,
            "NotEnrolled",
            "The user is not enrolled in the course.",
        ));
    }
    let state = &mut desk.tenant.state;
    if is_group {
        state
            .group_enrolments
            .retain(|row| row.lms_group_id != user || row.course_id != course_id);
    } else {
        state
            .world
            .enrolments
            .retain(|row| row.lms_user_id != user || row.course_id != course_id);
        desk.tenant.index.rebuild_enrolled(&desk.tenant.state.world);
    }
    Ok(Reply::empty(204))
}

fn enroll_person(desk: &mut Desk<'_>, lms_user_id: Uuid, course_id: Uuid) -> Reply {
    let row = Enrolment {
        id: Uuid::new_v4(),
        course_id,
        lms_user_id,
        status: Progress::NotStarted,
        registered_at: desk.now,
        completed_at: None,
        due_at: None,
    };
    let reply = sets::enrolment(desk.tenant, &row);
    desk.tenant.state.world.enrolments.push(row);
    desk.tenant.index.enrolled.push((lms_user_id, course_id));
    Reply::json(201, reply)
}

fn group_reply(desk: &Desk<'_>, row: &GroupEnrolment, login: &str) -> Value {
    json!({
        "Id": row.id,
        "CourseId": row.course_id,
        "UserId": row.lms_group_id,
        "UserLoginName": login,
        "Roles": ["Learner"],
        "RegistrationDate": row.registered_at,
        "RegistrationStatus": enumeration(desk.tenant, "Approved", 1),
        "CoursePassingStatus": enumeration(desk.tenant, "NotStarted", 1),
        "IsPartOfTrainingPlan": false,
        "CanUnenroll": true,
    })
}

/// Returns the catalog of a course that exists and is not deleted.
fn live_course(desk: &Desk<'_>, id: Uuid) -> Result<Uuid, Reply> {
    let at = desk.tenant.index.courses.get(&id);
    let course = at.map(|at| &desk.tenant.state.world.courses[*at]);
    let course = course.filter(|course| !course.deleted);
    course
        .map(|it| it.catalog_id)
        .ok_or_else(|| not_found("The course was not found."))
}

/// Returns id, login name, and whether it is a group, for the user in the body.
fn user(desk: &Desk<'_>) -> Result<(Uuid, String, bool), Reply> {
    let body: Body = serde_json::from_str(&desk.call.body)
        .map_err(|error| refuse(400, "BadRequest", &error.to_string()))?;
    let login = body.user_login_name;
    let id = catalog::find(desk, &login).ok_or_else(|| {
        refuse(
            400,
            "UserNotFound",
            &format!("The user '{login}' was not found."),
        )
    })?;
    let is_group = desk
        .tenant
        .state
        .lms_groups
        .iter()
        .any(|group| group.id == id);
    Ok((id, login, is_group))
}

fn is_enrolled(desk: &Desk<'_>, user: Uuid, course: Uuid, is_group: bool) -> bool {
    let state = &desk.tenant.state;
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
