//! Who is told that a run is complete, that something waits, that a secret ends.

use chrono::Utc;
use rollcall_domain::base::run::Run;
use rollcall_domain::directory_sync::{SourceConnection, SyncReport};
use rollcall_domain::notices::NoticeKind;

use super::SyncRun;
use super::finish::FinishError;

/// Days before a secret's end at which people are told.
const MARKS: [i64; 4] = [1, 7, 14, 30];

impl SyncRun<'_> {
    /// The chosen Super admin, in the product (S3-24); and when something is held
    /// that would be applied by itself, everybody who must know of it.
    pub(super) async fn notify_complete(
        &self,
        run: &Run,
        report: &SyncReport,
        news: bool,
    ) -> Result<(), FinishError> {
        let tenant = self.request.tenant;
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
        // The same comparison is told once, however often it is made.
        if news && report.held.is_some() {
            self.services.notify_owners(tenant, about).await?;
        }
        Ok(())
    }

    /// A secret whose end is known is told before it comes, at certain marks (S2-10).
    pub(super) async fn notify_expiring_secret(&self) -> Result<(), FinishError> {
        let now = Utc::now();
        let Some(state) = self.services.store.sync(self.request.tenant).await? else {
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
        Ok(self
            .services
            .notify_owners(self.request.tenant, about)
            .await?)
    }
}
