//! Changes of the data between two pages of a set.

use chrono::Utc;
use uuid::Uuid;

use crate::behaviour::LmsChange;
use crate::state::TenantState;
use crate::world::Progress;

/// Number of enrolments of an import.
const IMPORTED: usize = 150;

/// Applies the configured changes of a set after one of its pages.
pub(super) fn apply(state: &mut TenantState, set: &str, is_first: bool) {
    for change in state.world.behaviour.lms_changes_while_read.clone() {
        match (set, change) {
            ("Enrollments", LmsChange::EnrolmentAdded) => add_enrolments(state, 1),
            ("Enrollments", LmsChange::EnrolmentsImported) => add_enrolments(state, IMPORTED),
            ("Enrollments", LmsChange::EnrolmentDeleted) => {
                state.world.enrolments.remove(0);
            }
            ("Users", LmsChange::UserReplaced) if is_first => {
                let mut people = state.world.people.iter();
                let Some(first) = people.position(|person| person.lms_id.is_some()) else {
                    continue;
                };
                let mut added = state.world.people.remove(first);
                added.lms_id = Some(Uuid::new_v4());
                added.object_id = None;
                added.display_name = format!("{} II", added.display_name);
                state.world.people.push(added);
            }
            _ => {}
        }
    }
}

fn add_enrolments(state: &mut TenantState, count: usize) {
    let Some(first) = state.world.enrolments.first().cloned() else {
        return;
    };
    let more = std::iter::repeat_n(first, count).map(|mut enrolment| {
        enrolment.id = Uuid::new_v4();
        enrolment.status = Progress::NotStarted;
        enrolment.registered_at = Utc::now();
        enrolment
    });
    state.world.enrolments.extend(more);
}
