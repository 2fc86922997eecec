//! Sends system mail through Amazon SES, which works even if a tenant's own channel fails.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{DisplayErrorContext, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use rollcall_domain::notices::RenderedNotice;

/// The error of an e-mail that was not accepted, or whose acceptance is unknown.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Not sent; can be retried.
    #[error("the mail was rejected: {0}")]
    Refused(String),
    /// The response was lost: the e-mail may have been sent.
    #[error("it is not known whether the mail was sent: {0}")]
    Unknown(String),
}

/// The client for system mail.
#[derive(Debug, Clone)]
pub struct SystemMail {
    client: Client,
    sender: String,
}

impl SystemMail {
    /// Creates a client that sends from this address, which must be verified in SES.
    pub fn new(config: &aws_config::SdkConfig, sender: impl Into<String>) -> Self {
        // If the response is lost the e-mail may have been sent, so the SDK must not retry.
        let config = aws_sdk_sesv2::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
            sender: sender.into(),
        }
    }

    /// Sends one e-mail to all recipients together.
    pub async fn send(
        &self,
        recipients: &[String],
        words: &RenderedNotice,
    ) -> Result<(), MailError> {
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let refused =
            |error: aws_sdk_sesv2::error::BuildError| MailError::Refused(error.to_string());
        let message = Message::builder()
            .subject(content(&words.subject).map_err(refused)?)
            .body(
                Body::builder()
                    .text(content(&words.text).map_err(refused)?)
                    .html(content(&words.html).map_err(refused)?)
                    .build(),
            )
            .build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .destination(
                Destination::builder()
                    .set_to_addresses(Some(recipients.to_vec()))
                    .build(),
            )
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| {
            let words = DisplayErrorContext(&error).to_string();
            match error {
                SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
                    MailError::Unknown(words)
                }
                SdkError::ServiceError(service) if service.raw().status().as_u16() >= 500 => {
                    MailError::Unknown(words)
                }
                SdkError::ServiceError(_)
                | SdkError::ConstructionFailure(_)
                | SdkError::DispatchFailure(_) => MailError::Refused(words),
                _ => MailError::Unknown(words),
            }
        })
    }
}
