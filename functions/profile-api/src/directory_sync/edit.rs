//! An edit of the directory sync: the input, and the resulting credentials and state.

use chrono::{DateTime, Utc};
use rollcall_clients::vault::{AppRegistration, SyncCredentials};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET};
use rollcall_domain::directory_sync::{SourceConnection, SyncPhase, SyncState};
use rollcall_runtime::auth::Caller;

use super::input::SyncInput;

/// An edit to store.
pub(super) struct SyncEdit<'e> {
    pub(super) input: &'e SyncInput,
    /// The new credentials, if any were entered.
    pub(super) entered: Option<&'e SyncCredentials>,
    /// The stored credentials.
    pub(super) known: &'e SyncCredentials,
    pub(super) at: DateTime<Utc>,
}

/// Returns the stored credentials merged with the entered ones; `None` if none were entered.
pub(super) fn merged(
    known: &SyncCredentials,
    input: &SyncInput,
) -> Result<Option<SyncCredentials>, Vec<Problem>> {
    let app = input.app.as_ref();
    let (id, secret) = match app {
        Some(app) => (app.client_id.as_ref(), app.client_secret.as_ref()),
        None => (None, None),
    };
    let stored = known.app.as_ref();
    let same = id.is_some_and(|id| stored.is_some_and(|stored| stored.client_id == *id));
    let is_new = secret.is_some() || (id.is_some() && !same);
    if !is_new && input.token.is_none() {
        return Ok(None);
    }
    let mut credentials = known.clone();
    if is_new {
        let id = id
            .cloned()
            .or_else(|| stored.map(|stored| stored.client_id.clone()));
        let id = id.ok_or_else(|| {
            vec![Problem::at(
                CLIENT_ID,
                "the client id of the app registration is required",
            )]
        })?;
        // The stored secret is used only with the client id it belongs to.
        let kept = stored
            .filter(|stored| stored.client_id == id)
            .map(AppRegistration::secret);
        let secret = secret.cloned().or(kept);
        let secret = secret.ok_or_else(|| {
            vec![Problem::at(
                CLIENT_SECRET,
                "the client secret of this app registration is required",
            )]
        })?;
        credentials.app = Some(AppRegistration::new(id, secret.expose()));
    }
    if let Some(token) = &input.token {
        credentials = credentials.with_token(token, &input.config.target);
    }
    Ok(Some(credentials))
}

/// Returns the state of the sync after an edit.
pub(super) fn next(
    before: Option<&SyncState>,
    input: &SyncInput,
    entered: Option<&SyncCredentials>,
    caller: &Caller,
    at: DateTime<Utc>,
) -> SyncState {
    let fresh = || SyncState::new(input.config.clone(), caller.actor(), at);
    let mut state = before.cloned().unwrap_or_else(fresh);
    state.config = input.config.clone();
    state.edits += 1;
    state.by = caller.actor();
    state.at = at;
    if let Some(app) = entered.and_then(|entered| entered.app.as_ref())
        && input.app.is_some()
    {
        let stored = match &state.source {
            Some(SourceConnection::App { secret_expires, .. }) => *secret_expires,
            _ => None,
        };
        let input = input.app.as_ref();
        let is_new = input.is_some_and(|app| app.client_secret.is_some());
        let entered = input.and_then(|app| app.secret_expires);
        state.source = Some(SourceConnection::App {
            client_id: app.client_id.clone(),
            secret_expires: if is_new { entered } else { entered.or(stored) },
        });
        if state.phase == SyncPhase::Disconnected {
            state.phase = SyncPhase::Inactive;
        }
    } else if let (Some(SourceConnection::App { secret_expires, .. }), Some(app)) =
        (&mut state.source, &input.app)
    {
        *secret_expires = app.secret_expires.or(*secret_expires);
    }
    if entered.is_some() {
        // New credentials end a pause, and have to be tested (S2-50).
        state.credentials += 1;
        state.resolve();
    }
    state.reschedule(at);
    state
}
