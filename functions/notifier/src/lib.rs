//! Delivers notices: by system mail and in the product, each once.

use rollcall_clients::ses::MailError;
use rollcall_clients::store::messages::Ledger;
use rollcall_domain::notices::{Channel, Notice, words};
use rollcall_runtime::{Batch, Event, Failure, Services};
use serde_json::Value;

/// Handles one batch of notices.
///
/// # Errors
/// When the event is not a batch of messages; failed messages are part of the
/// answer instead.
pub async fn handle(
    services: &Services,
    event: Value,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let Event::Messages(messages) = Event::read(event)? else {
        return Err("notifier takes queue messages only".into());
    };
    let response = Batch::handle(messages, async |notice| deliver(services, &notice).await).await;
    Ok(serde_json::to_value(response)?)
}

/// Delivers one notice: first in the product, which cannot mail anybody twice,
/// then by system mail, under the ledger's entry, unless it is for the product only.
///
/// # Errors
/// When it must be tried again.
pub async fn deliver(services: &Services, notice: &Notice) -> Result<(), Failure> {
    let store = &services.store;
    if let Channel::Catalog { catalog } = notice.channel {
        // Never by another way instead: learners must not get a mail from a
        // sender they do not know, nor admins a learner's mail in the product.
        return Err(Failure(format!(
            "the mail of catalog {catalog} cannot be sent by the notifier"
        )));
    }
    store.add_notification(notice).await.map_err(failure)?;
    if notice.channel == Channel::InProduct {
        return Ok(());
    }
    match store
        .claim_mail(notice.tenant, notice.id)
        .await
        .map_err(failure)?
    {
        Ledger::Sent => return Ok(()),
        Ledger::Doubtful => {
            tracing::warn!(notice = %notice.id, "an earlier try never said how it ended; not mailed again");
            return store
                .settle_mail(notice.tenant, notice.id, "doubtful")
                .await
                .map_err(failure);
        }
        Ledger::Ours => {}
    }
    let words = words(notice).map_err(Failure)?;
    match services.mail.send(&notice.recipients, &words).await {
        Ok(()) => store
            .settle_mail(notice.tenant, notice.id, "sent")
            .await
            .map_err(failure),
        Err(MailError::Refused(reason)) => {
            store
                .settle_mail(notice.tenant, notice.id, "failed")
                .await
                .map_err(failure)?;
            Err(Failure(reason))
        }
        Err(MailError::Unknown(reason)) => {
            tracing::warn!(notice = %notice.id, %reason, "it is not known whether the mail was sent");
            store
                .settle_mail(notice.tenant, notice.id, "doubtful")
                .await
                .map_err(failure)
        }
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}
