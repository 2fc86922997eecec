//! Sends messages to SQS: run messages and notifications.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

/// SQS delays a message by at most fifteen minutes.
pub const MAX_DELAY: Duration = Duration::from_mins(15);
/// SQS accepts at most ten messages per request.
const BATCH: usize = 10;

/// The error of a message that could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue rejected the message: {0}")]
pub struct QueueError(String);

/// A client of one queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Creates a client for the queue at this URL.
    pub fn new(config: &aws_config::SdkConfig, url: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            url: url.into(),
        }
    }

    /// Returns the queue's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends one message that becomes visible after `delay` (rounded up to whole seconds, at most
    /// [`MAX_DELAY`]).
    pub async fn send<T: Serialize>(&self, message: &T, delay: Duration) -> Result<(), QueueError> {
        let body = body(message)?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(whole_seconds(delay))
            .send()
            .await
            .map_err(|error| QueueError(DisplayErrorContext(&error).to_string()))?;
        Ok(())
    }

    /// Sends messages in batches of ten; the error contains the number of rejected messages.
    pub async fn send_all<T: Serialize>(&self, messages: &[T]) -> Result<(), QueueError> {
        for chunk in messages.chunks(BATCH) {
            let mut entries = Vec::with_capacity(chunk.len());
            for (index, message) in chunk.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(body(message)?);
                entries.push(
                    entry
                        .build()
                        .map_err(|error| QueueError(error.to_string()))?,
                );
            }
            let answer = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| QueueError(DisplayErrorContext(&error).to_string()))?;
            if !answer.failed().is_empty() {
                return Err(QueueError(format!(
                    "{} of {} messages were rejected",
                    answer.failed().len(),
                    chunk.len()
                )));
            }
        }
        Ok(())
    }

    /// Returns whether no message is waiting or in flight, according to the queue's approximate
    /// counters.
    pub async fn is_idle(&self) -> Result<bool, QueueError> {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let counted = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .set_attribute_names(Some(counted.to_vec()))
            .send()
            .await;
        let counts = answer
            .map_err(|error| QueueError(DisplayErrorContext(&error).to_string()))?
            .attributes
            .unwrap_or_default();
        Ok(counted
            .iter()
            .all(|name| counts.get(name).is_none_or(|count| count == "0")))
    }
}

/// Rounds up: a message delivered too early would find nothing due.
fn whole_seconds(delay: Duration) -> i32 {
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(seconds.min(MAX_DELAY.as_secs())).unwrap_or(0)
}

fn body<T: Serialize>(message: &T) -> Result<String, QueueError> {
    serde_json::to_string(message).map_err(|error| QueueError(error.to_string()))
}
