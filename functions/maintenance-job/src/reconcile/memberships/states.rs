//! The stored states of profiles: updated in memory, and stored many at a time.

use rollcall_clients::store::StoreError;
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::{Attempt, RunContext};

/// Maximum length of the reason in the state of a profile, in characters.
const MAX_REASON_CHARS: usize = 4_000;

/// Stores the states of profiles whose status was changed by later steps. A profile that was not
/// reached is unfinished.
pub(crate) async fn finalize_all(context: &mut RunContext<'_>) -> Result<(), StoreError> {
    for index in 0..context.profiles.len() {
        let entry = &mut context.profiles[index];
        if entry.updated {
            if entry.state.status != Some(entry.report.status) {
                note_state(context, index);
            }
        } else if entry.attempt == Attempt::Never
            && entry.report.status == ProfileStatus::Synchronised
        {
            entry.report.status = ProfileStatus::Unfinished;
            entry.report.reason = Some("the run has not reached it".to_owned());
            entry.report.members = entry.state.members;
        }
    }
    save(context).await
}

/// Updates the state of a profile in memory; [`save`] stores it.
pub(super) fn note_state(context: &mut RunContext<'_>, index: usize) {
    let (slot, snapshot) = (context.slot, context.snapshot.header.id.clone());
    let entry = &mut context.profiles[index];
    let state = &mut entry.state;
    state.status = Some(entry.report.status);
    // The full reason is in the report. A profile may have thousands of conditions that use a
    // deleted field (F-25).
    let reason = entry.report.reason.as_ref();
    state.reason = reason.map(|reason| reason.chars().take(MAX_REASON_CHARS).collect());
    state.members = entry.report.members;
    state.snapshot = Some(snapshot);
    state.evaluated_at = Some(slot);
    context.unsaved.insert(index);
}

/// Stores the states that changed, many profiles in one transaction.
pub(crate) async fn save(context: &mut RunContext<'_>) -> Result<(), StoreError> {
    let unsaved = std::mem::take(&mut context.unsaved);
    let states = unsaved.iter().map(|index| {
        let entry = &context.profiles[*index];
        (entry.profile.id, &entry.state)
    });
    let fence = context.budget.fence();
    context
        .services
        .store
        .put_profile_states(fence, states)
        .await
}
