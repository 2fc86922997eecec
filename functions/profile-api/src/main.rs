//! The Lambda entry point of the API.

use lambda_http::{Error, run};
use rollcall_app::Services;
use rollcall_runtime::logging;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let services = Services::from_environment().await?;
    run(rollcall_profile_api::router(services)?).await
}
