//! The connections tick: renews grants, reports lost accounts, sends welcome messages
//! and waiting mail, completes consents and follows up room responses.
//!
//! Every step reads the stored state and does what is due. A tick may therefore be late, repeated
//! or interrupted: the next one does what is left.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures::StreamExt as _;
use rollcall_app::Services;
use rollcall_app::mail_account::AccountError;
use rollcall_clients::store::StoreError;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;
use rollcall_domain::course_session::{CourseSession, cancel};
use rollcall_runtime::Deadline;

/// Number of items processed concurrently; most of the time is spent waiting for Microsoft.
const AT_ONCE: usize = 8;
/// Minimum time left before the deadline for beginning an item.
const ONE: Duration = Duration::from_secs(30);
/// Time after the end of a session during which a room's response is still expected.
const GIVE_UP: TimeDelta = TimeDelta::days(1);

/// Does all work that is due.
///
/// # Errors
/// Returns an error if the due items cannot be listed; single failures are retried by the next
/// tick.
pub(crate) async fn run_upkeep(services: &Services, deadline: Deadline) -> Result<(), StoreError> {
    for tenant in services.store.awaiting_proof().await? {
        if !deadline.allows(ONE) {
            break;
        }
        if let Err(error) = services.finish_consent(tenant).await {
            tracing::warn!(%tenant, %error, "a consent could not be completed");
        }
    }
    let catalogs = services.store.connected_catalogs().await?;
    let work = futures::stream::iter(catalogs).map(|(tenant, catalog, it)| async move {
        if deadline.allows(ONE) {
            account(services, tenant, catalog, &it).await;
        }
    });
    work.buffer_unordered(AT_ONCE).collect::<()>().await;
    let sessions = services.store.open_sessions().await?;
    let work = futures::stream::iter(sessions).map(|(tenant, session)| async move {
        if deadline.allows(ONE) {
            follow(services, tenant, session).await;
        }
    });
    work.buffer_unordered(AT_ONCE).collect::<()>().await;
    Ok(())
}

async fn account(services: &Services, tenant: TenantId, catalog: CatalogId, it: &MailConnection) {
    let now = Utc::now();
    let log_error = |what: &str, done: Result<(), AccountError>| {
        if let Err(error) = done {
            tracing::warn!(%tenant, %catalog, %error, what, "failed; the next tick retries it");
        }
    };
    if it.notice_pending {
        log_error(
            "notice of a lost account",
            services.notify_loss(tenant, catalog, it).await,
        );
    }
    if it.forget || it.draft_until.is_some_and(|until| until <= now) {
        let forgotten = services.forget_what_is_due(tenant, catalog, now).await;
        log_error("deletion of a grant", forgotten);
    }
    if it.welcome_pending || waits(services, tenant, catalog, it).await {
        log_error(
            "waiting mail",
            services.send_welcome(tenant, catalog, it).await,
        );
    }
    if it.wants_keep_alive(now) {
        keep_alive(services, tenant, catalog).await;
    }
}

/// Returns true if mail is waiting that could be sent now: the message that should have started
/// the notifier may be lost.
async fn waits(
    services: &Services,
    tenant: TenantId,
    catalog: CatalogId,
    it: &MailConnection,
) -> bool {
    if !it.options.enabled || !it.status.is_usable() {
        return false;
    }
    let first = services.store.first_mails(tenant, catalog, 1).await;
    first.is_ok_and(|first| !first.is_empty())
}

async fn keep_alive(services: &Services, tenant: TenantId, catalog: CatalogId) {
    match Box::pin(services.renew_grant(tenant, catalog)).await {
        Ok(_) => tracing::info!(%tenant, %catalog, "a grant was renewed"),
        Err(AccountError::Lost(cause)) => {
            tracing::warn!(%tenant, %catalog, ?cause, "a connected account was lost");
        }
        Err(AccountError::App(error)) => {
            tracing::error!(%error, alarm = "service-credential", "this service's own app cannot be used");
        }
        Err(error) => tracing::warn!(%tenant, %catalog, %error, "a grant could not be renewed"),
    }
}

async fn follow(services: &Services, tenant: TenantId, session: Versioned<CourseSession>) {
    let id = session.value.id;
    if session.value.end + GIVE_UP < Utc::now() {
        let mut closed = session.value;
        cancel(&mut closed);
        let put = services
            .store
            .put_session(tenant, &closed, Some(session.version), &[]);
        if let Err(error) = put.await {
            tracing::warn!(%tenant, %id, %error, "a past session could not be closed");
        }
        return;
    }
    let settled = Box::pin(services.record_session(tenant, session.clone())).await;
    // A failed calendar update must not delay the notice about the room response.
    let settled = settled.unwrap_or_else(|error| {
        tracing::warn!(%tenant, %id, %error, "a session could not be updated; the next tick retries it");
        session
    });
    if let Err(error) = Box::pin(services.follow_room(tenant, settled)).await {
        tracing::warn!(%tenant, %id, %error, "a room's response could not be handled; the next tick retries it");
    }
}
