//! Reads the whole learning platform into a snapshot, or changes nothing.
//!
//! A tick asks for one run per tenant; a message makes one run: six sets →
//! snapshot → schema → pointer. A failure keeps the last good snapshot.

mod connection_upkeep;
mod directory_sync;
mod lms_refresh;
mod tick;

use rollcall_app::Services;
use rollcall_runtime::{Batch, Deadline, Event};
use serde_json::Value;

pub use lms_refresh::run::work;
pub use tick::tick;

/// Handles one event.
///
/// # Errors
/// When a tick could not be turned into requests, or the event is not ours;
/// failed messages are part of the answer instead.
pub async fn handle(
    services: &Services,
    event: Value,
    deadline: Deadline,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    match Event::read(event)? {
        Event::Tick(due) => {
            tick(services, &due, deadline).await?;
            Ok(Value::Null)
        }
        Event::Messages(messages) => {
            let response = Batch::handle(messages, async |request| {
                Box::pin(work(services, request, deadline)).await
            })
            .await;
            Ok(serde_json::to_value(response)?)
        }
    }
}
