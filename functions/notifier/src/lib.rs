//! Delivers notices: by system mail, through a catalog's connected account, in the product.

mod mailbox;
mod system_mail;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_domain::notices::delivery::MailboxWakeup;
use rollcall_domain::notices::{Channel, Notice};
use rollcall_runtime::{Batch, Deadline, Event, Failure};
use serde::Deserialize;
use serde_json::Value;

pub use mailbox::{Clock, DeliveryResult, process_mailbox};
pub use system_mail::deliver;

/// A message of the notice queue.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum QueueMessage {
    MailboxWakeup(MailboxWakeup),
    Notice(Box<Notice>),
}

/// Handles one batch of messages. All notices are accepted before any mailbox is processed, so
/// that the most urgent mail of the batch is sent first.
///
/// # Errors
/// Returns an error if the event is not a batch of messages. Failed messages are part of the
/// response instead.
pub async fn handle(
    services: &Services,
    event: Value,
    deadline: Deadline,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let Event::Messages(messages) = Event::read(event)? else {
        return Err("notifier handles queue messages only".into());
    };
    let response = Batch::in_two_steps(
        messages,
        async |message| match message {
            QueueMessage::MailboxWakeup(wakeup) => Ok(Some(wakeup)),
            QueueMessage::Notice(notice) => accept(services, &notice).await,
        },
        async |wakeup: &MailboxWakeup| {
            let sent = Box::pin(process_mailbox(services, *wakeup, Utc::now, deadline));
            sent.await.map(|_| ())
        },
    )
    .await;
    Ok(serde_json::to_value(response)?)
}

/// Delivers a notice, or adds it to its catalog's list and returns the mailbox to process.
///
/// # Errors
/// Returns an error if the notice must be retried.
pub async fn accept(
    services: &Services,
    notice: &Notice,
) -> Result<Option<MailboxWakeup>, Failure> {
    match notice.channel {
        Channel::System => deliver(services, notice).await.map(|()| None),
        Channel::InProduct => {
            services.store.add_notification(notice).await?;
            Ok(None)
        }
        Channel::Catalog { catalog } => {
            let now: DateTime<Utc> = Utc::now();
            services.store.enqueue_mail(catalog, notice, now).await?;
            let tenant = notice.tenant;
            Ok(Some(MailboxWakeup { tenant, catalog }))
        }
    }
}
