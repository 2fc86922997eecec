//! Starts the callback function; wiring only.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use lambda_http::{Error, run};
use rollcall_app::Services;
use rollcall_runtime::logging;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let services = Services::from_environment().await?;
    run(rollcall_oauth_callback::router(services)?).await
}
