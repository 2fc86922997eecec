//! Compares managers. Runs after the users, because only then is it known which users will be
//! active.

use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings};
use super::desired_state::manager;
use super::keys::{ChangeSubject, Field};
use super::source::DirectoryPerson;
use super::target::PlatformUser;
use crate::base::ids::ObjectId;

/// Compares the managers of all users who will be active once the plan is applied.
pub(super) fn compare(comparison: &Comparison<'_>, findings: &mut Findings) {
    for id in findings.present.clone() {
        compare_manager(comparison, id, findings);
    }
}

fn compare_manager(comparison: &Comparison<'_>, id: ObjectId, findings: &mut Findings) {
    if !comparison.input.features.keeps(Field::Manager) {
        return;
    }
    let Some(person) = comparison.input.directory.people.get(&id) else {
        return;
    };
    let wanted = manager(id, person, &findings.present);
    let unclear = |id: &ObjectId| comparison.linked.ambiguous.contains_key(id);
    if unclear(&id) || wanted.as_ref().is_some_and(unclear) {
        return;
    }
    let key = comparison
        .linked
        .users
        .get(&id)
        .copied()
        .or_else(|| comparison.user_to_link(id, findings));
    let user = key.and_then(|key| comparison.linked.platform.users.get(key));
    let member = |user: &PlatformUser| {
        let manager = user.facts.get(&Field::Manager)?;
        Some(comparison.linked.member(manager).to_string())
    };
    let old = user.and_then(member);
    let new = wanted.map(|manager| manager.to_string());
    if old == new {
        return;
    }
    let before = key.and_then(|key| comparison.previous(key));
    let manager_of = |user: &PlatformUser| user.facts.get(&Field::Manager).cloned();
    let by_hand = match (before, user) {
        (Some(before), Some(user)) => manager_of(before) != manager_of(user),
        _ => false,
    };
    let what = ChangeKind::SetField {
        field: Field::Manager,
        old,
        new,
    };
    let people = &comparison.input.directory.people;
    let new_name = wanted
        .and_then(|id| people.get(&id))
        .map(DirectoryPerson::label);
    let managing = user.and_then(|user| {
        let manager = user.facts.get(&Field::Manager)?;
        comparison.linked.platform.users.get(manager)
    });
    let change = PlannedChange::new(ChangeSubject::User(id), &person.label(), what)
        .overwriting(by_hand)
        .about(&new_name.unwrap_or_default())
        .instead_of(managing.map_or("", PlatformUser::label));
    comparison.propose(change, findings);
}
