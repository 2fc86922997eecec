//! Builds the AWS configuration shared by all service clients.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;

/// Reads region, credentials and `AWS_ENDPOINT_URL` from the environment.
pub async fn from_environment() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).load().await
}

/// Returns a configuration for a local emulator, which accepts any credentials.
pub async fn emulator(endpoint: &str, region: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new("test", "test", None, None, "emulator"))
        .load()
        .await
}
