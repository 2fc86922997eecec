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

pub use mailbox::{Clock, DeliveryPass, drain};
pub use system_mail::deliver;

/// What the queue carries.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum QueueMessage {
    MailboxWakeup(MailboxWakeup),
    Notice(Box<Notice>),
}

/// Handles one batch of messages: all notices first, then each mailbox that has
/// something to send, so that the more urgent of a batch goes first.
///
/// # Errors
/// When the event is not a batch of messages; failed messages are part of the
/// answer instead.
pub async fn handle(
    services: &Services,
    event: Value,
    deadline: Deadline,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let Event::Messages(messages) = Event::read(event)? else {
        return Err("notifier takes queue messages only".into());
    };
    let response = Batch::in_two_steps(
        messages,
        async |errand| match errand {
            QueueMessage::MailboxWakeup(drain) => Ok(Some(drain)),
            QueueMessage::Notice(notice) => accept(services, &notice).await,
        },
        async |due: &MailboxWakeup| {
            let sent = Box::pin(drain(services, *due, Utc::now, deadline));
            sent.await.map(|_| ())
        },
    )
    .await;
    Ok(serde_json::to_value(response)?)
}

/// Delivers a notice, or puts it on its catalog's list: then the list has to be
/// looked at.
///
/// # Errors
/// When it must be tried again.
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
