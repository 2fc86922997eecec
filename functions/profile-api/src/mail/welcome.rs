//! What follows a save: the mail that greets the account, and those that waited (S1-31).

use std::time::Duration;

use rollcall_clients::queue::QueueError;
use rollcall_domain::connection::{Capability, Effect, MailConnection};
use rollcall_domain::delivery::Drain;
use rollcall_domain::ids::{CatalogId, TenantId};
use rollcall_domain::notices::{Channel, Notice, NoticeKind};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;

use crate::Api;
use crate::failure::{Refused, stored, unavailable};

impl Api {
    /// Does what follows from what is stored.
    pub(super) async fn follow(
        &self,
        caller: &Caller,
        catalog: CatalogId,
        after: &MailConnection,
        effects: &[Effect],
    ) -> Result<(), Refused> {
        let tenant = caller.tenant;
        let queue = &self.services.notice_queue;
        if effects.contains(&Effect::Welcome)
            && let Some(notice) = self.welcome(tenant, catalog, after).await?
        {
            queue
                .send(&notice, Duration::ZERO)
                .await
                .map_err(|error| unsent(&error))?;
        }
        if effects.contains(&Effect::Release) {
            let drain = Drain { tenant, catalog };
            queue
                .send(&drain, Duration::ZERO)
                .await
                .map_err(|error| unsent(&error))?;
        }
        Ok(())
    }

    /// The mail to the account itself (S1-31).
    async fn welcome(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        it: &MailConnection,
    ) -> Result<Option<Notice>, Refused> {
        let (Some(account), Some(at)) = (&it.account, it.connected_at) else {
            return Ok(None);
        };
        if !it.allows(Capability::Mail) {
            return Ok(None);
        }
        let words = |capability: &Capability| match capability {
            Capability::Mail => "send notifications".to_owned(),
            Capability::Rooms => "book rooms".to_owned(),
            Capability::Meetings => "create Microsoft Teams meetings".to_owned(),
            other => format!("{other:?}"),
        };
        let about = NoticeKind::AccountConnected {
            catalog,
            catalog_title: it.title.clone(),
            account: account.address.clone(),
            able: it.can.able.iter().map(words).collect(),
            unable: it
                .can
                .unable
                .iter()
                .map(|unable| unable.reason.clone())
                .collect(),
            at,
            by: it.by.as_ref().map(|by| by.name.clone()).unwrap_or_default(),
        };
        let settings = self.services.store.tenant(tenant).await.map_err(stored)?;
        let name = settings
            .map(|it| it.settings.display_name)
            .unwrap_or_default();
        let to = vec![account.address.clone()];
        Ok(Some(
            Notice::new(tenant, &name, to, about).over(Channel::Catalog { catalog }),
        ))
    }
}

/// Saved, and what follows could not be asked for: saving again does.
fn unsent(error: &QueueError) -> ProblemDetails {
    tracing::error!(%error, "a notice could not be queued");
    unavailable("Saved, but mails could not be queued now; save again shortly.")
}
