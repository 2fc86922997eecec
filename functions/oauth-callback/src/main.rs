//! Wiring only.

// The futures of the SDK nest deeper than the compiler expects.
#![recursion_limit = "256"]

use lambda_http::{Error, run};
use rollcall_runtime::{Services, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let services = Services::from_environment().await?;
    run(crate::router(services)?).await
}
