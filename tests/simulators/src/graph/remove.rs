//! Removes a member, with Graph's dangerous behaviour if `/$ref` is missing.

use super::error::GraphError;
use super::{Answer, RequestContext, members, object_id};
use crate::behaviour::RemovedNonMember;
use crate::call::Reply;

/// `DELETE /groups/{id}/members/{member}/$ref`.
pub(super) fn member(context: &mut RequestContext<'_>, id: &str, member: &str) -> Answer {
    context.need(members::WRITE)?;
    let (id, member) = (object_id(id)?, object_id(member)?);
    let group = context
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    members::check_target(context, group, true)?;
    let group = context
        .tenant
        .group_mut(id)
        .ok_or_else(|| GraphError::missing(id))?;
    if group.members.remove(&member) {
        return Ok(Reply::empty(204));
    }
    Err(
        match context.tenant.state.world.behaviour.removed_non_member {
            RemovedNonMember::NamesGroup => GraphError::missing(id),
            RemovedNonMember::NamesMember => GraphError::missing(member),
        },
    )
}

/// `DELETE /groups/{id}/members/{member}`: with `User.ReadWrite.All` this deletes the user.
pub(super) fn without_ref(context: &mut RequestContext<'_>, id: &str, member: &str) -> Answer {
    context.need(&["User.ReadWrite.All"])?;
    let (id, member) = (object_id(id)?, object_id(member)?);
    let group = context
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    if !group.members.contains(&member) {
        return Err(GraphError::missing(member));
    }
    if !context.tenant.state.delete_user(member) {
        return Err(GraphError::missing(member));
    }
    context.tenant.state.user_deleted_by_mistake = true;
    context.tenant.reindex();
    Ok(Reply::empty(204))
}
