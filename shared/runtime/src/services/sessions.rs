//! Course sessions in the calendar of a catalog's account: planned steps carried out one by one, rooms' answers followed up.

use std::time::Duration;

use rollcall_clients::mailbox::{EventDraft, EventFacts, Mailbox};
use rollcall_clients::store::StoreError;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::connection::{Cause, MailConnection};
use rollcall_domain::ids::TenantId;
use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_domain::session::{
    CourseSession, EventStep, Learner, RoomAnswer, SessionStatus, arrange, invitation, plan,
    settle, transaction_id,
};

use super::Services;
use super::accounts::{AccountError, ConnectedAccount};

/// No plan has more steps: five parts, each made, changed and cancelled at most.
const MOST_STEPS: usize = 32;

impl Services {
    /// Does what the calendar still lacks of a session, step by step; each is
    /// stored before the next, so whoever goes on later does the rest.
    ///
    /// # Errors
    /// Why it broke off. What was done is stored.
    pub async fn settle_session(
        &self,
        tenant: TenantId,
        mut session: Versioned<CourseSession>,
    ) -> Result<Versioned<CourseSession>, AccountError> {
        let catalog = session.value.catalog;
        for _ in 0..MOST_STEPS {
            let steps = plan(Some(&session.value), &session.value);
            let Some(step) = steps.first().copied() else {
                return Ok(session);
            };
            let account = self.account(tenant, catalog).await?;
            let done = step_of(&account, &session.value, step).await;
            let facts = match done {
                Ok(facts) => facts,
                Err(error) => return Err(self.calendar_failed(tenant, catalog, error).await?),
            };
            let id = facts.as_ref().map(|facts| facts.id.as_str());
            settle(&mut session.value, step, id);
            if let (Some(facts), Some(0)) = (&facts, part_of(step)) {
                session.value.join_url.clone_from(&facts.join_url);
                session.value.room_answer = facts.room;
            }
            let put = self
                .store
                .put_session(tenant, &session.value, Some(session.version), &[]);
            session.version = put.await?;
        }
        tracing::error!(session = %session.value.id, "a session's plan does not end");
        Ok(session)
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
        let waits = session.value.room_answer == RoomAnswer::Waiting
            && session.value.status == SessionStatus::Scheduled;
        let first = session.value.events.iter().find(|event| event.part == 0);
        let id = first.and_then(|event| event.event_id.clone());
        let Some(id) = id.filter(|_| waits) else {
            return Ok(session);
        };
        let account = self.account(tenant, session.value.catalog).await?;
        let facts = match account.mailbox.event(&id).await {
            Ok(facts) => facts,
            Err(error) => {
                let catalog = session.value.catalog;
                return Err(self.calendar_failed(tenant, catalog, error).await?);
            }
        };
        // An event that somebody deleted in the calendar books no room.
        let answer = facts.map_or(RoomAnswer::Declined, |facts| facts.room);
        if answer == RoomAnswer::Waiting {
            return Ok(session);
        }
        if answer == RoomAnswer::Declined {
            self.tell_declined(tenant, &session.value, &account.connection)
                .await?;
        }
        session.value.room_answer = answer;
        let put = self
            .store
            .put_session(tenant, &session.value, Some(session.version), &[]);
        match put.await {
            Ok(version) => session.version = version,
            // Somebody changed the session meanwhile: their change asks anew.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(session)
    }

    async fn tell_declined(
        &self,
        tenant: TenantId,
        session: &CourseSession,
        connection: &MailConnection,
    ) -> Result<(), AccountError> {
        let Some(room) = &session.room else {
            return Ok(());
        };
        let about = NoticeKind::RoomDeclined {
            session: session.id.uuid(),
            version: session.version,
            title: session.title.clone(),
            room: room.name.clone(),
            start: session.start,
            time_zone: session.time_zone.clone(),
        };
        let (name, recipients) = self
            .administrators(tenant, session.catalog, connection)
            .await?;
        let notice = Notice::new(tenant, &name, recipients, about);
        Ok(self.notice_queue.send(&notice, Duration::ZERO).await?)
    }

    /// What a refusal of the calendar means: a refused token loses the account.
    async fn calendar_failed(
        &self,
        tenant: TenantId,
        catalog: rollcall_domain::ids::CatalogId,
        error: rollcall_clients::http::ApiError,
    ) -> Result<AccountError, AccountError> {
        if error.status() == Some(401) {
            self.forget_tokens(tenant, catalog);
        }
        if error.status() == Some(403) {
            let code = error.code().map(str::to_owned);
            self.account_failed(tenant, catalog, Cause::ConsentMissing, code)
                .await?;
            return Ok(AccountError::Lost(Cause::ConsentMissing));
        }
        tracing::warn!(%error, "the calendar did not do it");
        Ok(AccountError::Later(error.to_string()))
    }
}

fn part_of(step: EventStep) -> Option<u32> {
    match step {
        EventStep::Create { part, .. } | EventStep::Update { part } => Some(part),
        EventStep::Cancel { .. } => None,
    }
}

async fn step_of(
    account: &ConnectedAccount,
    session: &CourseSession,
    step: EventStep,
) -> Result<Option<EventFacts>, rollcall_clients::http::ApiError> {
    let mailbox: &Mailbox = &account.mailbox;
    let known = |part| session.events.iter().find(|event| event.part == part);
    match step {
        EventStep::Create { part, .. } => {
            let draft = draft(session, &account.connection, part);
            mailbox.create_event(&draft).await.map(Some)
        }
        EventStep::Update { part } => {
            let id = known(part).and_then(|event| event.event_id.clone());
            let draft = draft(session, &account.connection, part);
            mailbox
                .update_event(&id.unwrap_or_default(), &draft)
                .await
                .map(Some)
        }
        EventStep::Cancel { part } => {
            let id = known(part).and_then(|event| event.event_id.clone());
            let comment = "This session was cancelled.";
            mailbox
                .cancel_event(&id.unwrap_or_default(), comment)
                .await?;
            Ok(None)
        }
    }
}

/// The event of a part as it should be.
fn draft(session: &CourseSession, connection: &MailConnection, part: u32) -> EventDraft {
    let arranged = arrange(Some(session), session);
    let event = arranged.iter().find(|event| event.part == part);
    let inside = |learner: &&Learner| {
        event.is_some_and(|event| event.learners.binary_search(&learner.key()).is_ok())
    };
    let mut attendees: Vec<(String, String)> = session
        .learners
        .iter()
        .filter(inside)
        .map(|learner| (learner.name.clone(), learner.address.clone()))
        .collect();
    let calendar = connection.options.organization_calendar.as_ref();
    if let Some(address) = calendar.filter(|_| part == 0 && session.share) {
        attendees.push(("Organisation calendar".to_owned(), address.clone()));
    }
    let known = session.events.iter().find(|event| event.part == part);
    let transaction = event.or(known).map(|event| transaction_id(session, event));
    EventDraft {
        subject: session.title.clone(),
        html: invitation(session, part),
        start: session.start,
        end: session.end,
        time_zone: session.time_zone.clone(),
        room: session
            .room
            .as_ref()
            .filter(|_| part == 0)
            .map(|room| (room.name.clone(), room.address.clone())),
        attendees,
        online: session.online && part == 0,
        transaction_id: transaction.unwrap_or_default(),
    }
}
