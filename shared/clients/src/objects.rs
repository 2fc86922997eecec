//! Stores snapshots, schemas, member lists and reports in S3.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_domain::base::ids::{ProfileId, SnapshotId, TenantId};

/// The error of an object that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object does not exist.
    #[error("the object {0} does not exist")]
    Missing(String),
    /// The object store returned an error.
    #[error("the object store returned an error: {0}")]
    Service(String),
}

/// The bucket. Keys start with the kind of object, so that lifecycle rules can expire old objects
/// by prefix, followed by the tenant.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
}

/// Returns the key of a snapshot.
pub fn snapshot_key(tenant: TenantId, id: &SnapshotId) -> String {
    format!("snapshots/{tenant}/{id}.rcsnap")
}

/// Returns the key of a snapshot's schema.
pub fn schema_key(tenant: TenantId, id: &SnapshotId) -> String {
    format!("schemas/{tenant}/{id}.json")
}

/// Returns the key of a profile's member list. A newer list replaces the previous one.
pub fn members_key(tenant: TenantId, profile: ProfileId) -> String {
    format!("members/{tenant}/{profile}.xlsx")
}

/// Returns the key of the changes that an administrator approved for a profile, while a run applies
/// them. A newer approval replaces them.
pub fn approved_key(tenant: TenantId, profile: ProfileId) -> String {
    format!("approved/{tenant}/{profile}.ids")
}

/// Returns the key of a run's full report; `name` identifies the run.
pub fn report_key(tenant: TenantId, name: &str) -> String {
    format!("reports/{tenant}/{}.json", name.replace(['#', ':'], "-"))
}

/// Returns the key of one part of a run's report; `name` identifies the run. A run with several
/// invocations writes one part in each.
pub fn part_key(tenant: TenantId, name: &str, part: u32) -> String {
    format!(
        "reports/{tenant}/{}.{part}.json",
        name.replace(['#', ':'], "-")
    )
}

/// Returns the key of a directory sync's checkpoint; `name` identifies the run.
pub fn sync_key(tenant: TenantId, name: &str, part: u32) -> String {
    format!(
        "sync/{tenant}/{}.{part}.json.zst",
        name.replace(['#', ':'], "-")
    )
}

/// Returns the header value that sets the name of a downloaded file (RFC 6266): in ASCII for old
/// browsers, in percent-encoded UTF-8 for all others.
fn attachment(file_name: &str) -> String {
    let plain: String = file_name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '-' | '_' => c,
            _ => '_',
        })
        .collect();
    let encoded = utf8_percent_encode(file_name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

impl Objects {
    /// Creates a client for this bucket. Emulators require path-style addressing.
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

    /// Writes an object atomically.
    pub async fn put(
        &self,
        key: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ObjectError> {
        self.upload(key, content_type, ByteStream::from(bytes))
            .await
    }

    /// Uploads an object from a file without loading it into memory.
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

    /// Returns a pre-signed URL that downloads the object under this file name until it expires.
    /// The URL alone grants access, so it must not be stored.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] if the object does not exist.
    pub async fn download_url(
        &self,
        key: &str,
        file_name: &str,
        lifetime: Duration,
    ) -> Result<String, ObjectError> {
        let service = |error: &dyn std::fmt::Display| ObjectError::Service(error.to_string());
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        if let Err(error) = head.send().await {
            // Without permission to list the bucket, S3 returns 403 for missing objects.
            let status = error.raw_response().map(|answer| answer.status().as_u16());
            return Err(match status {
                Some(404 | 403) => ObjectError::Missing(key.to_owned()),
                _ => service(&DisplayErrorContext(&error)),
            });
        }
        let expires = PresigningConfig::expires_in(lifetime).map_err(|error| service(&error))?;
        let signed = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_disposition(attachment(file_name))
            .presigned(expires)
            .await
            .map_err(|error| service(&DisplayErrorContext(&error)))?;
        Ok(signed.uri().to_owned())
    }

    /// Deletes an object; a missing object is not an error.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let deleted = self.client.delete_object().bucket(&self.bucket).key(key);
        let deleted = deleted.send().await;
        deleted
            .map(|_| ())
            .map_err(|error| ObjectError::Service(DisplayErrorContext(&error).to_string()))
    }

    /// Returns the content of an object.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_its_header() {
        let header = attachment("Zürich\"\r\nX: y.xlsx");
        assert_eq!(
            header,
            "attachment; filename=\"Z_rich___X_ y.xlsx\"; filename*=UTF-8''Z%C3%BCrich%22%0D%0AX%3A%20y%2Exlsx"
        );
    }
}
