//! Removes a member, with Graph's dangerous behaviour if `/$ref` is missing.

use super::error::GraphError;
use super::{Answer, Desk, members, object_id};
use crate::call::Reply;

/// `DELETE /groups/{id}/members/{member}/$ref`.
pub(super) fn member(desk: &mut Desk<'_>, id: &str, member: &str) -> Answer {
    desk.need(members::WRITE)?;
    let (id, member) = (object_id(id)?, object_id(member)?);
    let group = desk
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    members::check_target(desk, group, true)?;
    let group = desk
        .tenant
        .group_mut(id)
        .ok_or_else(|| GraphError::missing(id))?;
    if group.members.remove(&member) {
        Ok(Reply::empty(204))
    } else {
        Err(GraphError::missing(member))
    }
}

/// `DELETE /groups/{id}/members/{member}`: with `User.ReadWrite.All` this deletes the user.
pub(super) fn without_ref(desk: &mut Desk<'_>, id: &str, member: &str) -> Answer {
    desk.need(&["User.ReadWrite.All"])?;
    let (id, member) = (object_id(id)?, object_id(member)?);
    let group = desk
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    if !group.members.contains(&member) {
        return Err(GraphError::missing(member));
    }
    if !desk.tenant.state.delete_user(member) {
        return Err(GraphError::missing(member));
    }
    desk.tenant.state.user_deleted_by_mistake = true;
    desk.tenant.reindex();
    Ok(Reply::empty(204))
}
