//! Notices about completed runs, pending changes and expiring secrets.

use chrono::Utc;
use rollcall_domain::base::run::Run;
use rollcall_domain::directory_sync::{SourceConnection, SyncReport};
use rollcall_domain::notices::NoticeKind;

use rollcall_runtime::Failure;

use super::DirectorySync;

/// Days before the expiry of a secret at which the owners are notified, in ascending order.
const MARKS: [i64; 4] = [1, 7, 14, 30];

impl DirectorySync<'_> {
    /// Notifies the chosen Super admin in the product (S3-24) and, when a change is held
    /// that would otherwise be applied automatically, all owners.
    pub(super) async fn notify_complete(
        &self,
        run: &Run,
        report: &SyncReport,
        news: bool,
    ) -> Result<(), Failure> {
        let tenant = self.tenant;
        let Some(state) = self.services.store.sync(tenant).await? else {
            return Ok(());
        };
        let count = |name: &str| run.counts.get(name).copied().unwrap_or(0);
        let about = NoticeKind::SyncComplete {
            started: run.started_at,
            created: count("usersCreated"),
            updated: count("usersUpdated") + count("usersReactivated"),
            deactivated: count("usersDeactivated"),
            teams: count("teamsCreated") + count("teamsUpdated") + count("teamsArchived"),
            waiting: report.waiting.len() as u64,
            link: self.services.console("/integrations/entra/runs"),
        };
        if let Some(recipient) = state.value.config.notify {
            self.services
                .notify_in_product(tenant, recipient, about.clone())
                .await?;
        }
        // The owners are notified only once of the same pending changes.
        if news && report.held.is_some() {
            self.services.notify_owners(tenant, about).await?;
        }
        Ok(())
    }

    /// Notifies of a secret that expires soon (S2-10).
    pub(super) async fn notify_expiring_secret(&self) -> Result<(), Failure> {
        let now = Utc::now();
        let Some(state) = self.services.store.sync(self.tenant).await? else {
            return Ok(());
        };
        let Some(SourceConnection::App {
            secret_expires: Some(on),
            ..
        }) = state.value.source
        else {
            return Ok(());
        };
        let left = (on - now).num_days();
        let Some(days) = MARKS.into_iter().find(|mark| left <= *mark) else {
            return Ok(());
        };
        let about = NoticeKind::SecretExpiring {
            connection: "Microsoft Entra ID (directory sync)".to_owned(),
            on,
            days,
            link: self.services.console("/integrations/entra"),
        };
        Ok(self.services.notify_owners(self.tenant, about).await?)
    }
}
