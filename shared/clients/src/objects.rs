//! Snapshots, schemas, member files and reports in S3.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use rollcall_domain::ids::{ProfileId, SnapshotId, TenantId};

/// An object that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It is not there.
    #[error("the object {0} is not there")]
    Missing(String),
    /// The service did not do it.
    #[error("the object store did not answer: {0}")]
    Service(String),
}

/// The bucket. Keys begin with what the object is, so that the bucket's lifecycle
/// can let old ones expire, then name the tenant.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
}

/// The key of a snapshot.
pub fn snapshot_key(tenant: TenantId, id: &SnapshotId) -> String {
    format!("snapshots/{tenant}/{id}.rcsnap")
}

/// The key of a snapshot's schema.
pub fn schema_key(tenant: TenantId, id: &SnapshotId) -> String {
    format!("schemas/{tenant}/{id}.json")
}

/// The key of a profile's member list. A newer list replaces it.
pub fn members_key(tenant: TenantId, profile: ProfileId) -> String {
    format!("members/{tenant}/{profile}.xlsx")
}

/// The key of a run's full report; `name` identifies the run.
pub fn report_key(tenant: TenantId, name: &str) -> String {
    format!("reports/{tenant}/{}.json", name.replace(['#', ':'], "-"))
}

impl Objects {
    /// The bucket of this name. Emulators need the bucket in the path.
    pub fn new(config: &aws_config::SdkConfig, bucket: impl Into<String>) -> Self {
        let path_style = config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(path_style)
            .build();
        Self {
            client: Client::from_conf(config),
            bucket: bucket.into(),
        }
    }

    /// Writes an object; it is there completely or not at all.
    pub async fn put(
        &self,
        key: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ObjectError> {
        self.upload(key, content_type, ByteStream::from(bytes))
            .await
    }

    /// Writes an object from a file, without holding it in memory.
    pub async fn put_file(
        &self,
        key: &str,
        content_type: &str,
        path: &Path,
    ) -> Result<(), ObjectError> {
        let stream = ByteStream::from_path(path)
            .await
            .map_err(|error| ObjectError::Service(error.to_string()))?;
        self.upload(key, content_type, stream).await
    }

    async fn upload(
        &self,
        key: &str,
        content_type: &str,
        body: ByteStream,
    ) -> Result<(), ObjectError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(body)
            .send()
            .await
            .map_err(|error| ObjectError::Service(DisplayErrorContext(&error).to_string()))?;
        Ok(())
    }

    /// Reads an object.
    pub async fn get(&self, key: &str) -> Result<Vec<u8>, ObjectError> {
        let answer = match self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key,
                ) =>
            {
                return Err(ObjectError::Missing(key.to_owned()));
            }
            Err(error) => {
                return Err(ObjectError::Service(
                    DisplayErrorContext(&error).to_string(),
                ));
            }
        };
        let bytes = answer
            .body
            .collect()
            .await
            .map_err(|error| ObjectError::Service(error.to_string()))?;
        Ok(bytes.to_vec())
    }
}
