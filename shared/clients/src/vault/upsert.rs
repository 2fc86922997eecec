//! Stores a value under a name that may be new, or that is still being deleted.

use std::time::Duration;

use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;

use super::{Vault, VaultError};

impl Vault {
    /// Stores a value under a name that may be new. A name that was just deleted cannot be created
    /// again immediately, because Secrets Manager deletes asynchronously.
    pub(super) async fn store(&self, name: &str, value: &str) -> Result<(), VaultError> {
        let mut pause = Duration::from_millis(500);
        loop {
            match self.store_once(name, value).await {
                Err(PutError::Deleting) if pause < Duration::from_secs(8) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(PutError::Deleting) => {
                    let detail = "the secret is still being deleted".to_owned();
                    return Err(VaultError::Service(detail));
                }
                Err(PutError::Other(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn store_once(&self, name: &str, value: &str) -> Result<(), PutError> {
        let put = self.client.put_secret_value().secret_id(name);
        let Err(put) = put.secret_string(value).send().await else {
            return Ok(());
        };
        let service = put.as_service_error();
        if service.is_some_and(PutSecretValueError::is_invalid_request_exception) {
            return Err(PutError::Deleting);
        }
        if !service.is_some_and(PutSecretValueError::is_resource_not_found_exception) {
            return Err(PutError::of(&put));
        }
        let create = self.client.create_secret().name(name).secret_string(value);
        match create.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let service = error.as_service_error();
                if service.is_some_and(CreateSecretError::is_invalid_request_exception) {
                    return Err(PutError::Deleting);
                }
                Err(PutError::of(&error))
            }
        }
    }
}

/// The error of a value that was not stored.
enum PutError {
    /// The name is being deleted.
    Deleting,
    /// Any other error.
    Other(VaultError),
}

impl PutError {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let words = DisplayErrorContext(error).to_string();
        Self::Other(VaultError::Service(words))
    }
}
