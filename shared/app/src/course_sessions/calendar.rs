//! Operations on the calendar of a catalog's account: the requests of a session's step, and the
//! meaning of errors.

use rollcall_clients::http::ApiError;
use rollcall_clients::mailbox::{EventDraft, EventFacts};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, MailConnection};
use rollcall_domain::course_session::{
    CourseSession, EventStep, Learner, arrange, invitation, transaction_id,
};

use super::super::Services;
use super::super::mail_account::{AccountError, ConnectedAccount};

/// Graph's error codes for a token without the required permission.
const NO_PERMISSION: [&str; 3] = [
    "ErrorAccessDenied",
    "AccessDenied",
    "Authorization_RequestDenied",
];

impl Services {
    /// Runs an idempotent operation with a catalog's account. If the token is rejected, it runs
    /// again with a new one: Graph revokes tokens early, for example when a policy or a password
    /// changes.
    ///
    /// # Errors
    /// Returns the errors of [`Services::account`], or [`AccountError::Client`] if Graph rejects
    /// the operation. An account that lost the permission (403) or its mailbox is lost; before this
    /// returns, the loss is stored and the notice queued.
    pub async fn in_calendar<T, F>(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        work: impl Fn(ConnectedAccount) -> F,
    ) -> Result<T, AccountError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let account = self.account(tenant, catalog).await?;
        let connected_at = account.connection.connected_at;
        let mut done = work(account).await;
        if matches!(&done, Err(error) if error.is_auth()) {
            self.forget_tokens(tenant, catalog);
            let account = self.account(tenant, catalog).await?;
            done = work(account).await;
        }
        let error = match done {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let lost = match (error.status(), error.code()) {
            // A single rejected event or room does not mean that the account is lost; only the
            // codes of a missing permission do.
            (Some(403), Some(code)) if NO_PERMISSION.contains(&code) => Some(Cause::ConsentMissing),
            // Graph's error code for a mailbox that was deleted or moved to an on-premises server.
            (Some(404), Some("MailboxNotEnabledForRESTAPI")) => Some(Cause::NoCloudMailbox),
            _ => None,
        };
        if let Some(cause) = lost {
            let code = error.code().map(str::to_owned);
            self.account_failed(tenant, catalog, connected_at, cause, code)
                .await?;
            return Err(AccountError::Lost(cause));
        }
        if error.status() == Some(401) {
            self.forget_tokens(tenant, catalog);
        }
        Err(AccountError::Client(error))
    }
}

/// Applies one step of a session's plan.
pub(crate) async fn step_of(
    account: &ConnectedAccount,
    session: &CourseSession,
    step: EventStep,
) -> Result<Option<EventFacts>, ApiError> {
    let mailbox = &account.mailbox;
    let part = step.part();
    let known = session.events.iter().find(|event| event.part == part);
    let id = known.and_then(|event| event.event_id.as_deref());
    match step {
        EventStep::Create { .. } => {
            let draft = draft(session, &account.connection, part);
            mailbox.create_event(&draft).await.map(Some)
        }
        EventStep::Update { .. } => {
            let draft = draft(session, &account.connection, part);
            let id = id.unwrap_or_default();
            mailbox.update_event(id, &draft).await.map(Some)
        }
        EventStep::Cancel { .. } => {
            let comment = "This session was cancelled.";
            mailbox
                .cancel_event(id.unwrap_or_default(), comment)
                .await?;
            Ok(None)
        }
    }
}

/// Returns the desired event of a part. An event that should not exist is created only to learn its
/// id: without learners, room and meeting.
fn draft(session: &CourseSession, connection: &MailConnection, part: u32) -> EventDraft {
    let arranged = arrange(Some(session), session);
    let event = arranged.iter().find(|event| event.part == part);
    let is_first = part == 0 && event.is_some();
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
    if let Some(address) = calendar.filter(|_| is_first && session.share) {
        attendees.push(("Organisation calendar".to_owned(), address.clone()));
    }
    let known = session.events.iter().find(|event| event.part == part);
    let transaction = event.or(known).map(|event| transaction_id(session, event));
    let room = session.room.as_ref().filter(|_| is_first);
    EventDraft {
        subject: session.title.clone(),
        html: invitation(session, part),
        start: session.start,
        end: session.end,
        time_zone: session.time_zone.clone(),
        room: room.map(|room| (room.name.clone(), room.address.clone())),
        attendees,
        online: session.online && is_first,
        transaction_id: transaction.unwrap_or_default(),
    }
}
