//! Brings Entra groups and course enrolments in line with the audiences.
//!
//! Per tenant, in this order (S4-109): preconditions → lock → discrepancies → groups →
//! memberships → assign → unassign → deletion → retraction → unlock. Every run compares the
//! whole state, so it can be repeated after a crash at any point.

mod context;
mod error;
mod preconditions;
pub mod reconcile;
mod report;
mod run;
mod step_timer;

use rollcall_app::Services;
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_runtime::{Batch, Deadline, Event};
use serde_json::Value;

pub use run::execute_run;

/// Handles one event: a tick queues one run per tenant, a message is one run.
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
            let job = match due.tick.as_str() {
                "maintenance" => Job::Maintenance,
                "membership" => Job::Membership,
                other => {
                    return Err(
                        format!("maintenance-job does not handle the tick {other:?}").into(),
                    );
                }
            };
            services.fan_out(job, Slot::of_tick(due.time)).await?;
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
