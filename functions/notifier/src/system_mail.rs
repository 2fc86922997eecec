//! Delivers system mail, the channel that does not depend on an account of the tenant.

use rollcall_app::Services;
use rollcall_clients::ses::MailError;
use rollcall_clients::store::messages::Ledger;
use rollcall_domain::notices::{Notice, render};
use rollcall_runtime::Failure;

/// Delivers one notice: first in the product, where a repetition has no effect, then by mail. The
/// entry in the ledger prevents a second e-mail if the notice is delivered again.
///
/// # Errors
/// Returns an error if the notice must be retried.
pub async fn deliver(services: &Services, notice: &Notice) -> Result<(), Failure> {
    let store = &services.store;
    store.add_notification(notice).await?;
    match store.claim_mail(notice.tenant, notice.id).await? {
        Ledger::Sent => return Ok(()),
        Ledger::Doubtful => {
            tracing::warn!(notice = %notice.id, "an earlier attempt recorded no outcome; the e-mail is not sent again");
            return record(services, notice, "doubtful").await;
        }
        Ledger::Ours => {}
    }
    let rendered = render(notice).map_err(Failure)?;
    match services.mail.send(&notice.recipients, &rendered).await {
        Ok(()) => record(services, notice, "sent").await,
        Err(MailError::Refused(reason)) => {
            record(services, notice, "failed").await?;
            Err(Failure(reason))
        }
        Err(MailError::Unknown(reason)) => {
            tracing::warn!(notice = %notice.id, %reason, "it is not known whether the mail was sent");
            record(services, notice, "doubtful").await
        }
    }
}

async fn record(services: &Services, notice: &Notice, outcome: &str) -> Result<(), Failure> {
    let store = &services.store;
    store
        .record_mail_outcome(notice.tenant, notice.id, outcome)
        .await?;
    Ok(())
}
