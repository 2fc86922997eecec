//! A catalog's user list: adds users and groups, and removes them with all their enrolments.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{Answer, RequestContext, not_found, refuse};
use crate::call::Reply;
use crate::state::{CatalogUser, LmsGroup};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewUser {
    #[serde(default)]
    login_name: String,
    directory_object_id: Option<Uuid>,
}

/// `POST CourseCatalogs({id})/Users`: returns 202, and the row becomes visible later.
pub(super) fn add_user(context: &mut RequestContext<'_>, catalog_id: Uuid) -> Answer {
    known_catalog(context, catalog_id)?;
    let user: NewUser = serde_json::from_str(&context.call.body)
        .map_err(|error| refuse(400, "BadRequest", &error.to_string()))?;
    let delay = context.tenant.state.world.behaviour.lms_accept_delay_ms;
    let visible_at =
        context.now + Duration::milliseconds(i64::try_from(delay).unwrap_or(i64::MAX / 2));
    let lms_user_id = introduce(context, &user, visible_at)
        .ok_or_else(|| not_found("The user was not found in the directory."))?;
    let users = &mut context.tenant.state.catalog_users;
    if !users
        .iter()
        .any(|row| row.catalog_id == catalog_id && row.lms_user_id == lms_user_id)
    {
        users.push(CatalogUser {
            catalog_id,
            lms_user_id,
            visible_at,
        });
    }
    Ok(Reply::empty(202))
}

/// `DELETE CourseCatalogs({id})/Users('{login}')`: also unenrols from all courses of the catalog.
pub(super) fn remove_user(
    context: &mut RequestContext<'_>,
    catalog_id: Uuid,
    login: &str,
) -> Answer {
    known_catalog(context, catalog_id)?;
    let user = find(context, login).ok_or_else(|| not_found("The user was not found."))?;
    let state = &mut context.tenant.state;
    let courses = state
        .world
        .courses
        .iter()
        .filter(|course| course.catalog_id == catalog_id);
    let courses: HashSet<Uuid> = courses.map(|course| course.id).collect();
    let before = (state.catalog_users.len(), state.world.enrolments.len());
    state
        .catalog_users
        .retain(|row| row.catalog_id != catalog_id || row.lms_user_id != user);
    state
        .group_enrolments
        .retain(|row| row.lms_group_id != user || !courses.contains(&row.course_id));
    state
        .world
        .enrolments
        .retain(|row| row.lms_user_id != user || !courses.contains(&row.course_id));
    if (state.catalog_users.len(), state.world.enrolments.len()) == before {
        return Err(not_found("The user is not in the course catalog."));
    }
    if state.world.enrolments.len() != before.1 {
        context
            .tenant
            .index
            .rebuild_enrolled(&context.tenant.state.world);
    }
    Ok(Reply::empty(204))
}

/// Returns the Learn365 id of a login name: a user's, or that of a visible group.
pub(super) fn find(context: &RequestContext<'_>, login: &str) -> Option<Uuid> {
    let login = login.to_lowercase();
    let mut groups = context.tenant.state.lms_groups.iter();
    if let Some(group) = groups.find(|row| row.login_name.to_lowercase() == login) {
        return (group.visible_at <= context.now).then_some(group.id);
    }
    let at = context.tenant.index.by_login.get(&login)?;
    context.tenant.state.world.people[*at].lms_id
}

/// Returns the user or group in Learn365, or adds it from the directory.
fn introduce(
    context: &mut RequestContext<'_>,
    user: &NewUser,
    visible_at: DateTime<Utc>,
) -> Option<Uuid> {
    let login = user.login_name.to_lowercase();
    let from_login = login.rsplit('|').next().and_then(|tail| tail.parse().ok());
    if let Some(id) = user.directory_object_id.or(from_login)
        && let Some(group) = context.tenant.group(id)
    {
        let title = group.display_name.clone();
        return Some(introduce_group(context, id, title, visible_at));
    }
    let index = &context.tenant.index;
    let at = match user.directory_object_id {
        Some(id) => index.by_object.get(&id),
        None => index
            .by_login
            .get(&login)
            .or_else(|| index.by_upn.get(&login)),
    };
    let at = *at?;
    if let Some(id) = context.tenant.state.world.people[at].lms_id {
        return Some(id);
    }
    let id = Uuid::new_v4();
    context.tenant.state.world.people[at].lms_id = Some(id);
    context.tenant.reindex();
    Some(id)
}

fn introduce_group(
    context: &mut RequestContext<'_>,
    object_id: Uuid,
    title: String,
    visible_at: DateTime<Utc>,
) -> Uuid {
    let rows = &mut context.tenant.state.lms_groups;
    if let Some(row) = rows.iter().find(|row| row.object_id == object_id) {
        return row.id;
    }
    let id = Uuid::new_v4();
    let login_name = format!("c:0t.c|tenant|{object_id}");
    rows.push(LmsGroup {
        id,
        object_id,
        login_name,
        title,
        visible_at,
    });
    id
}

fn known_catalog(context: &RequestContext<'_>, id: Uuid) -> Result<(), Reply> {
    if context
        .tenant
        .state
        .world
        .catalogs
        .iter()
        .any(|catalog| catalog.id == id)
    {
        return Ok(());
    }
    Err(not_found("The course catalog was not found."))
}
