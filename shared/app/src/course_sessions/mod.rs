//! Course sessions in the calendar of a catalog's account: applies planned steps one by one and
//! follows up the responses of rooms.

mod calendar;

use std::time::Duration;

use rollcall_clients::mailbox::{EventFacts, is_gone};
use rollcall_clients::store::connections::Versioned;
use rollcall_clients::store::{Lease, StoreError};
use rollcall_domain::base::ids::{CatalogId, SessionId, TenantId};
use rollcall_domain::course_session::{
    CalendarOwner, CourseSession, EventStep, RoomAnswer, SessionStatus, forget_event, plan,
    record_step,
};
use rollcall_domain::notices::NoticeKind;

use super::Services;
use super::course_sessions::calendar::step_of;
use super::mail_account::AccountError;

/// The maximum number of steps of a plan: five parts, each created, updated and cancelled at most
/// once.
const MOST_STEPS: usize = 32;
/// The longest wait for the lease of a session that another function is applying.
const LEASE_PATIENCE: Duration = Duration::from_secs(10);

impl Services {
    /// Applies the changes that a session's calendar still needs, step by step. Each step is stored
    /// before the next, so that a later call continues there. Only one call applies a session at a
    /// time; otherwise an older change could reach the calendar after a newer one.
    ///
    /// # Errors
    /// Returns the error of the step that failed. The steps before it are stored.
    pub async fn record_session(
        &self,
        tenant: TenantId,
        session: Versioned<CourseSession>,
    ) -> Result<Versioned<CourseSession>, AccountError> {
        if plan(Some(&session.value), &session.value).is_empty() {
            return Ok(session);
        }
        let (catalog, id) = (session.value.catalog, session.value.id);
        let lease = self.session_lease(tenant, id).await?;
        let work = async {
            // Read again under the lease, because the session read before may be stale.
            let newest = self.newest(tenant, catalog, id).await?;
            self.run_steps(tenant, newest).await
        };
        let done = lease.while_held(Box::pin(work)).await;
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "the lease of a session was not released; it expires");
        }
        done?
    }

    async fn session_lease(&self, tenant: TenantId, id: SessionId) -> Result<Lease, AccountError> {
        let (name, length) = (format!("session#{id}"), self.settings.lease);
        let lease = Lease::acquire_within(&self.store, tenant, &name, length, LEASE_PATIENCE);
        let busy = || AccountError::Later("another request is applying the session".to_owned());
        lease.await?.ok_or_else(busy)
    }

    async fn newest(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        id: SessionId,
    ) -> Result<Versioned<CourseSession>, StoreError> {
        let found = self.store.session(tenant, catalog, id).await?;
        found.ok_or(StoreError::Missing)
    }

    async fn run_steps(
        &self,
        tenant: TenantId,
        mut session: Versioned<CourseSession>,
    ) -> Result<Versioned<CourseSession>, AccountError> {
        for _ in 0..MOST_STEPS {
            let steps = plan(Some(&session.value), &session.value);
            let Some(step) = steps.first().copied() else {
                return Ok(session);
            };
            let done = {
                let known = &session.value;
                let work = |account: super::mail_account::ConnectedAccount| async move {
                    let facts = step_of(&account, known, step).await?;
                    Ok((facts, account.connection.account))
                };
                self.in_calendar(tenant, known.catalog, work).await
            };
            match done {
                Ok((facts, account)) => {
                    if matches!(step, EventStep::Create { part: 0, .. }) {
                        session.value.calendar = account.map(|it| CalendarOwner {
                            object: it.object,
                            address: it.address,
                        });
                    }
                    self.record_step(tenant, &mut session.value, step, facts.as_ref())
                        .await?;
                }
                Err(AccountError::Client(error)) if is_lost(step, &error) => {
                    tracing::warn!(session = %session.value.id, "an event no longer exists in the calendar; it is created again");
                    forget_event(&mut session.value, step.part());
                }
                Err(error) => return Err(error),
            }
            let put = self
                .store
                .put_session(tenant, &session.value, Some(session.version), &[]);
            session.version = put.await?;
        }
        tracing::error!(session = %session.value.id, "the plan of a session has too many steps");
        Ok(session)
    }

    /// Records that a step is done, and the facts that the calendar returned.
    async fn record_step(
        &self,
        tenant: TenantId,
        session: &mut CourseSession,
        step: EventStep,
        facts: Option<&EventFacts>,
    ) -> Result<(), AccountError> {
        record_step(session, step, facts.map(|facts| facts.id.as_str()));
        let Some(facts) = facts else { return Ok(()) };
        if step.part() != 0 || session.status != SessionStatus::Scheduled {
            return Ok(());
        }
        session.join_url.clone_from(&facts.join_url);
        // A room may respond immediately; this response is not requested again.
        self.record_room_answer(tenant, session, facts.room).await
    }

    /// Stores a room's response. The notice of a refusal is queued before it is stored, so that it
    /// is never lost; repeated notices are sent once.
    async fn record_room_answer(
        &self,
        tenant: TenantId,
        session: &mut CourseSession,
        answer: RoomAnswer,
    ) -> Result<(), AccountError> {
        let before = std::mem::replace(&mut session.room_answer, answer);
        if answer == RoomAnswer::Declined && before != answer {
            self.notify_declined(tenant, session).await?;
        }
        Ok(())
    }

    /// Reads the room's response, if it is still missing, and notifies of a refusal.
    ///
    /// # Errors
    /// Returns an error if the calendar, the table or the queue does not respond.
    pub async fn follow_room(
        &self,
        tenant: TenantId,
        mut session: Versioned<CourseSession>,
    ) -> Result<Versioned<CourseSession>, AccountError> {
        let it = &session.value;
        let waits = it.room_answer == RoomAnswer::Waiting && it.status == SessionStatus::Scheduled;
        let first = it.events.iter().find(|event| event.part == 0);
        // Until the event was updated with its current room, a different room responds.
        let is_told = plan(Some(it), it).iter().all(|step| step.part() != 0);
        let id = first.and_then(|event| event.event_id.clone());
        let Some(id) = id.filter(|_| waits && is_told) else {
            return Ok(session);
        };
        let (catalog, of) = (it.catalog, it.id);
        // Another account cannot see the event, and its error would not mean that the room
        // declined.
        let connected = self.usable(tenant, catalog).await?.account;
        if it.calendar.as_ref().map(|then| then.object) != connected.map(|now| now.object) {
            return Ok(session);
        }
        let work = |account: super::mail_account::ConnectedAccount| {
            let id = id.clone();
            async move { account.mailbox.event(&id).await }
        };
        let facts = self.in_calendar(tenant, catalog, work).await?;
        // An event that was deleted in the calendar books no room.
        let answer = facts.map_or(RoomAnswer::Declined, |facts| facts.room);
        if answer == RoomAnswer::Waiting {
            return Ok(session);
        }
        self.record_room_answer(tenant, &mut session.value, answer)
            .await?;
        let put = self
            .store
            .put_session(tenant, &session.value, Some(session.version), &[]);
        match put.await {
            Ok(version) => session.version = version,
            // The session was changed concurrently; that change requests the room again.
            Err(StoreError::Conflict) => return Ok(self.newest(tenant, catalog, of).await?),
            Err(error) => return Err(error.into()),
        }
        Ok(session)
    }

    async fn notify_declined(
        &self,
        tenant: TenantId,
        session: &CourseSession,
    ) -> Result<(), AccountError> {
        let Some(room) = &session.room else {
            return Ok(());
        };
        let connection = self.usable(tenant, session.catalog).await?;
        let about = NoticeKind::RoomDeclined {
            session: session.id.uuid(),
            version: session.version,
            title: session.title.clone(),
            room: room.name.clone(),
            start: session.start,
            time_zone: session.time_zone.clone(),
        };
        let catalog = session.catalog;
        self.notify_catalog_administrators(tenant, catalog, &connection, about)
            .await?;
        Ok(())
    }
}

/// Returns true if the event to update no longer exists in the calendar.
fn is_lost(step: EventStep, error: &rollcall_clients::http::ApiError) -> bool {
    matches!(step, EventStep::Update { .. }) && is_gone(error)
}
