//! Starts the maintenance function; wiring only.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_app::Services;
use rollcall_runtime::{Deadline, logging};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let services = &Services::from_environment().await?;
    run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = Deadline::of_invocation(event.context.deadline);
        rollcall_maintenance_job::handle(services, event.payload, deadline).await
    }))
    .await
}
