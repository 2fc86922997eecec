//! Sign-in attempts that were started: each state is valid for one use.

use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::items::{number, string, text, unreadable};
use super::{Condition, Item, PARTITION_KEY, SORT_KEY, Store, StoreError, TTL_ATTRIBUTE, now};

/// The maximum duration of a sign-in; an authorization code is valid for the same time.
pub const OAUTH_STATE_LIFETIME: Duration = Duration::from_mins(10);

/// A returning browser is not signed in here, so its tenant is unknown: all states share one
/// partition.
const PARTITION: &str = "oauth";

/// Returns a new state, or another unguessable name for one browser: 244 random bits.
pub fn new_state() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// The table stores only a hash of the state, so that read access to the table does not
/// suffice to complete a sign-in.
fn entity(state: &str) -> String {
    format!("oauth-state#{}", hex::encode(Sha256::digest(state)))
}

impl Store {
    /// Stores a sign-in attempt. `state` is the random text given to the browser, `purpose`
    /// describes the action after its return, and `lifetime` (whole seconds) is usually
    /// [`OAUTH_STATE_LIFETIME`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the state exists already.
    pub async fn begin_oauth_state<T: Serialize + Sync>(
        &self,
        state: &str,
        purpose: &T,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let entity = entity(state);
        let purpose = serde_json::to_string(purpose).map_err(|error| unreadable(&entity, error))?;
        let expires = now() + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::zero());
        let item = Item::from([
            (PARTITION_KEY.to_owned(), string(PARTITION)),
            (SORT_KEY.to_owned(), string(entity)),
            ("purpose".to_owned(), string(purpose)),
            (TTL_ATTRIBUTE.to_owned(), number(expires.timestamp())),
        ]);
        self.write(None, vec![self.put(item, Some(Condition::absent()))?])
            .await
    }

    /// Consumes a state and returns its purpose. Returns `None` if the state is unknown,
    /// expired or used, which callers deliberately cannot distinguish. Of concurrent requests
    /// with the same state only one succeeds.
    pub async fn take_oauth_state<T: DeserializeOwned>(
        &self,
        state: &str,
    ) -> Result<Option<T>, StoreError> {
        let entity = entity(state);
        // DynamoDB may delete expired items hours late, so the expiry is also a condition.
        let taken = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, string(PARTITION))
            .key(SORT_KEY, string(&entity))
            .condition_expression("attribute_exists(#entity) AND #expires > :now")
            .expression_attribute_names("#entity", SORT_KEY)
            .expression_attribute_names("#expires", TTL_ATTRIBUTE)
            .expression_attribute_values(":now", number(now().timestamp()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let item = match taken {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let purpose = text(&item, "purpose").ok_or_else(|| unreadable(&entity, "no purpose"))?;
        serde_json::from_str(purpose)
            .map(Some)
            .map_err(|error| unreadable(&entity, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_sees_the_hash_of_the_state() {
        assert_eq!(
            entity("abc"),
            "oauth-state#ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
