//! Events that invoke a function: a schedule's tick or a batch of queue messages.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A schedule's tick: the schedule, and the time at which it was due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tick {
    /// `refresh`, `maintenance`, `membership`, `onboarding`, `connections` or `sync`.
    pub tick: String,
    /// The time at which it was due, even if it is delivered late.
    pub time: DateTime<Utc>,
}

/// An event that invokes a job.
#[derive(Debug)]
pub enum Event {
    /// A tick of a schedule.
    Tick(Tick),
    /// Messages of a queue.
    Messages(SqsEvent),
}

impl Event {
    /// Parses an event as a tick or as messages.
    ///
    /// # Errors
    /// Returns an error if it is neither: its source is unknown, or the template is wrong.
    pub fn read(event: Value) -> Result<Self, String> {
        let read = if event.get("Records").is_some() {
            serde_json::from_value(event).map(Self::Messages)
        } else {
            serde_json::from_value(event).map(Self::Tick)
        };
        read.map_err(|error| {
            format!("the event is neither a schedule's tick nor queue messages: {error}")
        })
    }
}

/// The reason why a message is returned to the queue, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(describe(&error))
    }
}

/// Returns an error with its causes in one line, outermost first. A cause that already ends the
/// outer error's text is not repeated.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.ends_with(&inner) {
            text = format!("{text}: {inner}");
        }
        cause = error.source();
    }
    text
}

/// The messages of one invocation, processed one by one, and the failed ones.
#[derive(Debug, Default)]
pub struct Batch {
    failures: Vec<BatchItemFailure>,
}

impl Batch {
    /// Handles each message separately: one that fails or cannot be parsed returns to the queue
    /// (and after several attempts to the dead-letter queue); the others are done.
    pub async fn handle<T, F>(event: SqsEvent, work: F) -> SqsBatchResponse
    where
        T: DeserializeOwned,
        F: AsyncFn(T) -> Result<(), Failure>,
    {
        let mut batch = Self::default();
        for record in event.records {
            let id = record.message_id.unwrap_or_default();
            let body = record.body.unwrap_or_default();
            let done = match serde_json::from_str::<T>(&body) {
                Ok(message) => work(message).await,
                Err(error) => Err(Failure(format!(
                    "the message is not valid for this queue: {error}"
                ))),
            };
            if let Err(failure) = done {
                batch.fail(id, &failure);
            }
        }
        batch.answer()
    }

    /// Handles each message separately with `first`, which may return the key of work that several
    /// messages share; then does the work of each key once with `second`. If that fails, all
    /// messages with the key return to the queue.
    pub async fn in_two_steps<T, K, F, G>(event: SqsEvent, first: F, second: G) -> SqsBatchResponse
    where
        T: DeserializeOwned,
        K: Ord,
        F: AsyncFn(T) -> Result<Option<K>, Failure>,
        G: AsyncFn(&K) -> Result<(), Failure>,
    {
        let mut batch = Self::default();
        let mut shared: BTreeMap<K, Vec<String>> = BTreeMap::new();
        for record in event.records {
            let id = record.message_id.unwrap_or_default();
            let done = match serde_json::from_str::<T>(&record.body.unwrap_or_default()) {
                Ok(message) => first(message).await,
                Err(error) => Err(Failure(format!(
                    "the message is not valid for this queue: {error}"
                ))),
            };
            match done {
                Ok(Some(work)) => shared.entry(work).or_default().push(id),
                Ok(None) => {}
                Err(failure) => batch.fail(id, &failure),
            }
        }
        for (work, ids) in shared {
            if let Err(failure) = second(&work).await {
                for id in ids {
                    batch.fail(id, &failure);
                }
            }
        }
        batch.answer()
    }

    fn fail(&mut self, id: String, Failure(reason): &Failure) {
        tracing::error!(message_id = %id, %reason, "a message could not be handled");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        self.failures.push(failure);
    }

    fn answer(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = self.failures;
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ticks_and_messages_are_distinguished() {
        let tick = Event::read(json!({"tick": "refresh", "time": "2026-11-21T02:00:00Z"}))
            .expect("tick not parsed");
        assert!(matches!(tick, Event::Tick(Tick { tick, .. }) if tick == "refresh"));
        let messages = Event::read(json!({"Records": [{"messageId": "1", "body": "{}"}]}))
            .expect("messages not parsed");
        assert!(matches!(messages, Event::Messages(event) if event.records.len() == 1));
        assert!(
            Event::read(json!({"other": 1}))
                .expect_err("unknown event parsed")
                .contains("neither")
        );
    }

    #[test]
    fn a_failure_names_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the table did not answer")]
        struct Outer(#[source] Middle);
        #[derive(Debug, thiserror::Error)]
        #[error("no connection: {0}")]
        struct Middle(#[source] std::fmt::Error);
        let Failure(text) = Outer(Middle(std::fmt::Error)).into();
        let cause = std::fmt::Error.to_string();
        assert_eq!(
            text,
            format!("the table did not answer: no connection: {cause}")
        );
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_read_fails_alone() {
        let event = json!({"Records": [
            {"messageId": "a", "body": "not json"}, {"messageId": "b", "body": "1"}, {"messageId": "c", "body": "2"},
        ]});
        let Ok(Event::Messages(event)) = Event::read(event) else {
            panic!("messages not parsed")
        };
        let response = Batch::handle(event, async |number: u8| {
            if number == 1 {
                Ok(())
            } else {
                Err(Failure("two".to_owned()))
            }
        })
        .await;
        let failed: Vec<_> = response
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect();
        assert_eq!(failed, ["a", "c"]);
    }
}
