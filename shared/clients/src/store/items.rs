//! Builds and reads the attributes of items, including their documents.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::TenantId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, PARTITION_KEY, SORT_KEY, StoreError};

/// DynamoDB limits an item to 400 KB; the keys and other attributes are small.
const MAX_DOCUMENT: usize = 350 * 1_024;

/// Returns a text attribute.
pub(super) fn string(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// Returns a number attribute.
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Returns a time in milliseconds since 1970, which conditions can compare.
pub(super) fn moment(at: DateTime<Utc>) -> AttributeValue {
    number(at.timestamp_millis())
}

/// Returns an item that contains only its keys.
pub(super) fn item(tenant: TenantId, entity: impl ToString) -> Item {
    Item::from([
        (PARTITION_KEY.to_owned(), string(tenant)),
        (SORT_KEY.to_owned(), string(entity)),
    ])
}

/// Returns an item with a document and its version.
pub(super) fn document<T: Serialize>(
    tenant: TenantId,
    entity: &str,
    value: &T,
    version: u64,
) -> Result<Item, StoreError> {
    let mut item = item(tenant, entity);
    let text = serde_json::to_string(value).map_err(|error| unreadable(entity, error))?;
    if text.len() > MAX_DOCUMENT {
        return Err(StoreError::TooLarge {
            entity: entity.to_owned(),
            bytes: text.len(),
            limit: MAX_DOCUMENT,
        });
    }
    item.insert("doc".to_owned(), string(text));
    item.insert("version".to_owned(), number(version));
    Ok(item)
}

/// Returns the document of an item.
pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let entity = entity(item);
    let text = text(item, "doc").ok_or_else(|| unreadable(entity, "it has no document"))?;
    serde_json::from_str(text).map_err(|error| unreadable(entity, error))
}

/// Returns the version of an item.
pub(super) fn version(item: &Item) -> u64 {
    integer(item, "version").unwrap_or(0)
}

/// Returns the value of a text attribute.
pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// Returns the value of a number attribute.
pub(super) fn integer<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Returns the sort key.
pub(super) fn entity(item: &Item) -> &str {
    text(item, SORT_KEY).unwrap_or("without a key")
}

/// Returns the tenant of the partition key.
pub(super) fn tenant(item: &Item) -> Result<TenantId, StoreError> {
    text(item, PARTITION_KEY)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| unreadable(entity(item), "its tenant is not a GUID"))
}

/// Returns the error for an item that cannot be read.
pub(super) fn unreadable(entity: &str, problem: impl ToString) -> StoreError {
    StoreError::Unreadable {
        entity: entity.to_owned(),
        problem: problem.to_string(),
    }
}
