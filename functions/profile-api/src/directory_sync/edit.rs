//! An edit of the directory sync: what was entered, and the credentials and the state that follow from it.

use chrono::{DateTime, Utc};
use rollcall_clients::vault::{AppRegistration, SyncCredentials};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET};
use rollcall_domain::directory_sync::{SourceConnection, SyncPhase, SyncState};
use rollcall_runtime::auth::Caller;

use super::input::SyncInput;

/// What somebody saves.
pub(super) struct SyncEdit<'e> {
    pub(super) input: &'e SyncInput,
    /// The credentials with what was entered, if something was.
    pub(super) entered: Option<&'e SyncCredentials>,
    /// The credentials as they are.
    pub(super) known: &'e SyncCredentials,
    pub(super) at: DateTime<Utc>,
}

/// The credentials as they are with what was entered; `None` when nothing was.
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
        // A secret belongs to one app.
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

/// The sync with what was chosen and entered.
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
        let told = input.and_then(|app| app.secret_expires);
        state.source = Some(SourceConnection::App {
            client_id: app.client_id.clone(),
            secret_expires: if is_new { told } else { told.or(stored) },
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
        // New credentials resolve what paused it, and have passed no test (S2-50).
        state.credentials += 1;
        state.resolve();
    }
    state.reschedule(at);
    state
}
