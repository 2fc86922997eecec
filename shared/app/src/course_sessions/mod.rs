//! Course sessions in the calendar of a catalog's account: planned steps carried out one by one, rooms' answers followed up.

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

/// No plan has more steps: five parts, each made, changed and cancelled at most.
const MOST_STEPS: usize = 32;
/// The longest wait for the lease of a session that another function works on.
const LEASE_PATIENCE: Duration = Duration::from_secs(10);

impl Services {
    /// Does what the calendar still lacks of a session, step by step; each is
    /// stored before the next, so whoever goes on later does the rest. One does
    /// it at a time: else an older change could reach the calendar after a newer.
    ///
    /// # Errors
    /// Why it broke off. What was done is stored.
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
            // Only now, under the lease: what was read before may be older.
            let newest = self.newest(tenant, catalog, id).await?;
            self.run_steps(tenant, newest).await
        };
        let done = lease.while_held(Box::pin(work)).await;
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "the lease of a session was not given back; it expires");
        }
        done?
    }

    async fn session_lease(&self, tenant: TenantId, id: SessionId) -> Result<Lease, AccountError> {
        let (name, length) = (format!("session#{id}"), self.settings.lease);
        let lease = Lease::acquire_within(&self.store, tenant, &name, length, LEASE_PATIENCE);
        let busy = || AccountError::Later("somebody else is carrying the session out".to_owned());
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
                    tracing::warn!(session = %session.value.id, "an event is gone from the calendar; it is made again");
                    forget_event(&mut session.value, step.part());
                }
                Err(error) => return Err(error),
            }
            let put = self
                .store
                .put_session(tenant, &session.value, Some(session.version), &[]);
            session.version = put.await?;
        }
        tracing::error!(session = %session.value.id, "a session's plan does not end");
        Ok(session)
    }

    /// Notes that a step is done, and what the calendar said to it.
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
        // A room may answer at once; nobody would ask it again.
        self.take_answer(tenant, session, facts.room).await
    }

    /// Takes a room's answer; a refusal is told before it is stored, so that it
    /// is never lost, and as one notice however often.
    async fn take_answer(
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

    /// Asks what the room answered, if it has not; a refusal is told.
    ///
    /// # Errors
    /// When the calendar, the table or the queue does not answer.
    pub async fn follow_room(
        &self,
        tenant: TenantId,
        mut session: Versioned<CourseSession>,
    ) -> Result<Versioned<CourseSession>, AccountError> {
        let it = &session.value;
        let waits = it.room_answer == RoomAnswer::Waiting && it.status == SessionStatus::Scheduled;
        let first = it.events.iter().find(|event| event.part == 0);
        // As long as the event was not told which room it is, another one answers.
        let is_told = plan(Some(it), it).iter().all(|step| step.part() != 0);
        let id = first.and_then(|event| event.event_id.clone());
        let Some(id) = id.filter(|_| waits && is_told) else {
            return Ok(session);
        };
        let (catalog, of) = (it.catalog, it.id);
        // Another account does not see the event, which says nothing of the room.
        let connected = self.usable(tenant, catalog).await?.account;
        if it.calendar.as_ref().map(|then| then.object) != connected.map(|now| now.object) {
            return Ok(session);
        }
        let work = |account: super::mail_account::ConnectedAccount| {
            let id = id.clone();
            async move { account.mailbox.event(&id).await }
        };
        let facts = self.in_calendar(tenant, catalog, work).await?;
        // An event that somebody deleted in the calendar books no room.
        let answer = facts.map_or(RoomAnswer::Declined, |facts| facts.room);
        if answer == RoomAnswer::Waiting {
            return Ok(session);
        }
        self.take_answer(tenant, &mut session.value, answer).await?;
        let put = self
            .store
            .put_session(tenant, &session.value, Some(session.version), &[]);
        match put.await {
            Ok(version) => session.version = version,
            // Somebody changed the session meanwhile: their change asks anew.
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

/// Whether an event that should be changed is not in the calendar any more.
fn is_lost(step: EventStep, error: &rollcall_clients::http::ApiError) -> bool {
    matches!(step, EventStep::Update { .. }) && is_gone(error)
}
