//! Refreshes the LMS snapshot of a tenant, runs its directory sync, and maintains its
//! connections.
//!
//! A tick queues one run per tenant; a message is one run. A refresh reads six sets and
//! stores snapshot, schema and pointer in this order; a failure leaves the last good
//! snapshot in use.

mod connection_upkeep;
mod directory_sync;
mod lms_refresh;
mod tick;

use rollcall_app::Services;
use rollcall_domain::base::run::RunRequest;
use rollcall_domain::base::schedule::Job;
use rollcall_runtime::{Batch, Deadline, Event, Failure};
use serde_json::Value;

pub use tick::tick;

/// Executes one run of a job of this function.
///
/// # Errors
/// Returns an error if the message cannot be handled now or is not for this function: the queue
/// retries and finally moves it to the dead-letter queue.
pub async fn execute_run(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    match request.job {
        Job::Refresh => Box::pin(lms_refresh::run::execute_run(services, request, deadline)).await,
        Job::DirectorySync => {
            Box::pin(directory_sync::execute_run(services, request, deadline)).await
        }
        other => Err(Failure(format!("refresh-job does not handle {other} runs"))),
    }
}

/// Handles one event.
///
/// # Errors
/// Returns an error if the runs of a tick could not be queued or the event is of an unknown
/// kind. Failed messages are reported in the response instead.
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
                Box::pin(execute_run(services, request, deadline)).await
            })
            .await;
            Ok(serde_json::to_value(response)?)
        }
    }
}
