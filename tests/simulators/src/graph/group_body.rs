//! Validation of the group properties that clients send.

use serde_json::{Map, Value};

use super::error::GraphError;

/// Properties a client may set.
const WRITABLE: &[&str] = &[
    "displayName",
    "description",
    "mailNickname",
    "mailEnabled",
    "securityEnabled",
    "groupTypes",
    "visibility",
    "uniqueName",
    "members@odata.bind",
    "owners@odata.bind",
];

/// Returns an error for unknown properties.
pub(super) fn known_properties(body: &Map<String, Value>) -> Result<(), GraphError> {
    match body
        .keys()
        .find(|name| !WRITABLE.contains(&name.as_str()) && !name.starts_with('@'))
    {
        Some(name) => Err(GraphError::bad(format!("Invalid property '{name}'."))),
        None => Ok(()),
    }
}

/// Returns an error for anything but a security group without a mailbox.
pub(super) fn security_group(body: &Map<String, Value>) -> Result<(), GraphError> {
    let is = |name, value: bool| body.get(name).and_then(Value::as_bool) == Some(value);
    if is("mailEnabled", false) && is("securityEnabled", true) {
        return Ok(());
    }
    Err(GraphError::bad(
        "The service does not currently support writes of mail-enabled groups.",
    ))
}

/// Returns a text property; missing and null are the same.
pub(super) fn text(body: &Map<String, Value>, name: &str) -> Result<Option<String>, GraphError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(GraphError::bad(format!(
            "Invalid value specified for property '{name}'."
        ))),
    }
}

/// Returns `displayName`, 1 to 256 characters.
pub(super) fn checked_name(body: &Map<String, Value>) -> Result<Option<String>, GraphError> {
    let name = text(body, "displayName")?;
    let fits = |name: &String| !name.is_empty() && name.chars().count() <= 256;
    if name.as_ref().is_none_or(fits) {
        return Ok(name);
    }
    Err(invalid("displayName"))
}

/// Returns `mailNickname`, 1 to 64 ASCII characters without the forbidden ones.
pub(super) fn checked_nickname(body: &Map<String, Value>) -> Result<Option<String>, GraphError> {
    let nickname = text(body, "mailNickname")?;
    let fits = |nickname: &String| {
        (1..=64).contains(&nickname.len())
            && nickname.is_ascii()
            && !nickname.contains([
                '@', '(', ')', '\\', '[', ']', '"', ';', ':', '<', '>', ',', ' ',
            ])
    };
    if nickname.as_ref().is_none_or(fits) {
        return Ok(nickname);
    }
    Err(invalid("mailNickname"))
}

fn invalid(property: &str) -> GraphError {
    GraphError::bad(format!(
        "Invalid value specified for property '{property}' of resource 'Group'."
    ))
}
