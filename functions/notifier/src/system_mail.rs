//! System mail: the channel that works when a tenant's own does not.

use rollcall_app::Services;
use rollcall_clients::ses::MailError;
use rollcall_clients::store::messages::Ledger;
use rollcall_domain::notices::{Notice, render};
use rollcall_runtime::Failure;

use crate::failure;

/// Delivers one notice: first in the product, which cannot mail anybody twice,
/// then by mail, under the ledger's entry.
///
/// # Errors
/// When it must be tried again.
pub async fn deliver(services: &Services, notice: &Notice) -> Result<(), Failure> {
    let store = &services.store;
    store.add_notification(notice).await.map_err(failure)?;
    match store
        .claim_mail(notice.tenant, notice.id)
        .await
        .map_err(failure)?
    {
        Ledger::Sent => return Ok(()),
        Ledger::Doubtful => {
            tracing::warn!(notice = %notice.id, "an earlier try never said how it ended; not mailed again");
            return store
                .record_mail_outcome(notice.tenant, notice.id, "doubtful")
                .await
                .map_err(failure);
        }
        Ledger::Ours => {}
    }
    let words = render(notice).map_err(Failure)?;
    match services.mail.send(&notice.recipients, &words).await {
        Ok(()) => store
            .record_mail_outcome(notice.tenant, notice.id, "sent")
            .await
            .map_err(failure),
        Err(MailError::Refused(reason)) => {
            store
                .record_mail_outcome(notice.tenant, notice.id, "failed")
                .await
                .map_err(failure)?;
            Err(Failure(reason))
        }
        Err(MailError::Unknown(reason)) => {
            tracing::warn!(notice = %notice.id, %reason, "it is not known whether the mail was sent");
            store
                .record_mail_outcome(notice.tenant, notice.id, "doubtful")
                .await
                .map_err(failure)
        }
    }
}
