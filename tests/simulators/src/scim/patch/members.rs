//! Operations on the members of a group.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::error::ScimError;
use super::super::matching::Subject;
use super::super::normal;
use super::Op;
use super::place::Target;

/// Adds, replaces or removes members.
pub(super) fn put(
    members: &mut BTreeSet<String>,
    op: Op,
    target: &Target,
    value: &Value,
) -> Result<(), ScimError> {
    if target.sub.is_some() {
        let text = "Members are added and removed as a whole.";
        return Err(ScimError::bad("invalidPath", text));
    }
    match (op, &target.filter) {
        (Op::Remove, Some(filter)) => {
            members.retain(|id| !Subject::Member(id).fits(filter));
        }
        (_, Some(filter)) => {
            let mut all = members.iter();
            if !all.any(|id| Subject::Member(id).fits(filter)) {
                return Err(ScimError::bad("noTarget", "There is no such member."));
            }
            let text = "Members are added and removed as a whole.";
            return Err(ScimError::bad("invalidPath", text));
        }
        (Op::Remove, None) if value.is_null() => members.clear(),
        (Op::Remove, None) => {
            for id in normal::members(value)? {
                members.remove(&id);
            }
        }
        (Op::Replace, None) => *members = normal::members(value)?,
        (Op::Add, None) => members.extend(normal::members(value)?),
    }
    Ok(())
}
