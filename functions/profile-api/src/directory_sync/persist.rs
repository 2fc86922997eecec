//! Stores an edit of the directory sync.

use rollcall_clients::store::StoreError;
use rollcall_domain::base::audit::{Action, AuditEvent, changed_fields};
use rollcall_domain::directory_sync::{SyncConfig, SyncState};
use rollcall_runtime::auth::Caller;

use super::SUBJECT;
use super::edit::{SyncEdit, next};
use crate::error::ApiError;
use crate::state::ApiState;

/// Stores the credentials, then the configuration.
pub(super) async fn persist(
    api: &ApiState,
    caller: &Caller,
    before: Option<&SyncState>,
    after: &SyncState,
    edit: &SyncEdit<'_>,
) -> Result<(), ApiError> {
    let vault_of = &api.services.vault;
    let chosen = fields(before.map(|before| &before.config), &after.config);
    let event = |action| AuditEvent::new(edit.at, caller.actor(), action);
    let saved = event(Action::SyncSaved).on(SUBJECT.0, SUBJECT.1);
    let mut events = vec![saved.with("fields", chosen)];
    if let Some(entered) = edit.entered {
        events.push(event(Action::SyncConnected).on(SUBJECT.0, SUBJECT.1));
        // The vault is written before the table: credentials without a configuration are better
        // than a configuration without its credentials.
        let put = vault_of.put_sync_credentials(caller.tenant, entered);
        put.await?;
    }
    let put = put_choice(api, caller, before, after, edit, &events);
    let Err(error) = put.await else {
        return Ok(());
    };
    // The stored configuration remains, so its credentials are restored.
    if edit.entered.is_some() {
        let back = vault_of.put_sync_credentials(caller.tenant, edit.known);
        if let Err(error) = back.await {
            tracing::error!(%error, "the previous credentials could not be restored");
        }
    }
    Err(error.into())
}

/// Stores the configuration. Concurrent changes by a run are preserved; a concurrent edit
/// is a conflict.
async fn put_choice(
    api: &ApiState,
    caller: &Caller,
    before: Option<&SyncState>,
    after: &SyncState,
    edit: &SyncEdit<'_>,
    events: &[AuditEvent],
) -> Result<(), StoreError> {
    let store = &api.services.store;
    let Some(before) = before else {
        let put = store.put_sync(caller.tenant, after, None, events);
        return put.await.map(|_| ());
    };
    let mut mine = true;
    let changed = store.change_sync(caller.tenant, events, |state| {
        mine = state.edits == before.edits;
        if mine {
            *state = next(Some(state), edit.input, edit.entered, caller, edit.at);
        }
        mine
    });
    changed.await?;
    if mine {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

fn fields(before: Option<&SyncConfig>, after: &SyncConfig) -> String {
    before.map_or_else(String::new, |before| {
        changed_fields(before, after).join(" ")
    })
}
