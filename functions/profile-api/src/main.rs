//! Wiring only.

use lambda_http::{Error, run};
use rollcall_runtime::{Services, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let services = Services::from_environment().await?;
    run(crate::router(services)?).await
}
