//! Compares people: who is created, linked, changed field by field, deactivated, brought back, or skipped.

use std::collections::{BTreeMap, BTreeSet};

use super::address_allocation::Claim;
use super::address_claims::resolve_claims;
use super::change::{ChangeKind, PlannedChange};
use super::desired_state::{facts, is_kept, manager};
use super::eligibility::{Eligibility, Scope};
use super::keys::{ChangeSubject, Field};
use super::plan::Comparison;
use super::skip_reason::{DepartureReason, Skip, SkipReason};
use super::source::{DirectoryPerson, Gone};
use super::target::{Facts, PlatformUser};
use crate::base::ids::ObjectId;
use crate::base::text::fold;

/// What is found about people.
#[derive(Debug, Default)]
pub(super) struct UserFindings {
    pub(super) changes: Vec<PlannedChange>,
    pub(super) skipped: Vec<Skip>,
    /// Who is there once everything is done: on the platform, active, belonging.
    pub(super) present: BTreeSet<ObjectId>,
}

/// Compares all people, of the directory and of the platform.
pub(super) fn compare(task: &Comparison<'_>) -> UserFindings {
    let mut found = UserFindings::default();
    let mut claims = Vec::new();
    let scope = Scope::new(task.input.config, task.input.directory, task.input.fitting);
    let shared = shared_addresses(task, &scope);
    for (id, person) in &task.input.directory.people {
        match scope.standing(*id, person) {
            Eligibility::Wanted => wanted(task, *id, person, &shared, &mut claims, &mut found),
            Eligibility::Lacking(fields) => {
                found.skip(*id, person, SkipReason::Lacking { fields });
                if task.linked.user(*id).is_some_and(|(_, user)| user.active) {
                    found.present.insert(*id);
                }
            }
            Eligibility::Out(reason) => leave(task, *id, reason, &mut found),
        }
    }
    for (id, gone) in &task.input.directory.gone {
        let reason = match gone {
            Gone::Deleted => DepartureReason::Deleted,
            Gone::Vanished => DepartureReason::Vanished,
        };
        leave(task, *id, reason, &mut found);
    }
    unknown(task, &mut found);
    resolve_claims(task, claims, &mut found);
    for id in found.present.clone() {
        managed(task, id, &mut found);
    }
    found
}

impl UserFindings {
    pub(super) fn skip(&mut self, person: ObjectId, it: &DirectoryPerson, reason: SkipReason) {
        let name = it.called();
        self.skipped.push(Skip {
            person,
            name,
            reason,
        });
    }
}

/// Accounts in use of people whom the directory does not know, and as far as is
/// remembered never did: nothing tells whether they left, so somebody has to look.
fn unknown(task: &Comparison<'_>, found: &mut UserFindings) {
    let directory = task.input.directory;
    let knows =
        |id: &ObjectId| directory.people.contains_key(id) || directory.gone.contains_key(id);
    for (id, key) in task.linked.users.iter().filter(|(id, _)| !knows(id)) {
        let user = &task.linked.platform.users[*key];
        if user.active {
            let name = called(user).to_owned();
            let reason = SkipReason::Unknown;
            found.skipped.push(Skip {
                person: *id,
                name,
                reason,
            });
        }
    }
}

/// Addresses that several people who belong have.
fn shared_addresses(task: &Comparison<'_>, scope: &Scope<'_>) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    for (id, person) in &task.input.directory.people {
        if scope.standing(*id, person) == Eligibility::Wanted
            && let Some(email) = person.email.as_deref().and_then(fold)
        {
            *seen.entry(email).or_insert(0_u32) += 1;
        }
    }
    let several = seen.into_iter().filter(|(_, people)| *people > 1);
    several.map(|(email, _)| email).collect()
}

fn wanted(
    task: &Comparison<'_>,
    id: ObjectId,
    person: &DirectoryPerson,
    shared: &BTreeSet<String>,
    claims: &mut Vec<Claim>,
    found: &mut UserFindings,
) {
    if let Some(users) = task.linked.twice.get(&id) {
        let users = users.iter().map(|&user| user.to_owned()).collect();
        found.skip(id, person, SkipReason::LinkedTwice { users });
        // Nothing about them changes, so nobody's team goes because of them.
        found.present.insert(id);
        return;
    }
    let facts = facts(person, task.input.config, task.input.features);
    let email = facts.get(&Field::Email).cloned().unwrap_or_default();
    let is_shared = fold(&email).is_some_and(|folded| shared.contains(&folded));
    let Some((key, user)) = task.linked.user(id) else {
        if is_shared {
            found.skip(id, person, SkipReason::SharedAddress { email });
        } else {
            claims.push(Claim {
                person: id,
                user: None,
                email,
            });
        }
        return;
    };
    if user.active || task.keep(reactivate(task, id, key, &person.called()), found) {
        found.present.insert(id);
    }
    let renamed = fields(task, id, (key, user), &facts, &person.called(), found);
    if renamed {
        if is_shared {
            found.skip(id, person, SkipReason::SharedAddress { email });
        } else {
            claims.push(Claim {
                person: id,
                user: Some(key.to_owned()),
                email,
            });
        }
    }
}

fn reactivate(task: &Comparison<'_>, id: ObjectId, key: &str, name: &str) -> PlannedChange {
    let by_hand = task.was(key).is_some_and(|before| before.active);
    PlannedChange::new(ChangeSubject::User(id), name, ChangeKind::ReactivateUser)
        .overwriting(by_hand)
}

/// Adds the changes of all fields but address and manager; answers whether the
/// address is another one, too.
pub(super) fn fields(
    task: &Comparison<'_>,
    id: ObjectId,
    (key, user): (&str, &PlatformUser),
    wanted: &Facts,
    name: &str,
    found: &mut UserFindings,
) -> bool {
    let before = task.was(key);
    for field in [
        Field::FirstName,
        Field::LastName,
        Field::DisplayName,
        Field::JobTitle,
        Field::Department,
    ] {
        if !is_kept(field, task.input.config, task.input.features) {
            continue;
        }
        let (old, new) = (user.facts.get(&field), wanted.get(&field));
        if old == new {
            continue;
        }
        let by_hand = before.is_some_and(|before| before.facts.get(&field) != old);
        let what = ChangeKind::SetField {
            field,
            old: old.cloned(),
            new: new.cloned(),
        };
        let change = PlannedChange::new(ChangeSubject::User(id), name, what).overwriting(by_hand);
        task.keep(change, found);
    }
    let email = wanted.get(&Field::Email).and_then(|email| fold(email));
    let differs = |value: &str| fold(value) != email;
    differs(&user.user_name) || user.facts.get(&Field::Email).is_some_and(|it| differs(it))
}

/// Who has left is deactivated, if the platform knows them as active.
fn leave(task: &Comparison<'_>, id: ObjectId, reason: DepartureReason, found: &mut UserFindings) {
    let keys = task.linked.users.get(&id).copied();
    let twice = task.linked.twice.get(&id).into_iter().flatten().copied();
    let active = |key: &str| {
        task.linked
            .platform
            .users
            .get(key)
            .is_some_and(|user| user.active)
    };
    let Some(key) = keys.into_iter().chain(twice).find(|key| active(key)) else {
        return;
    };
    let user = &task.linked.platform.users[key];
    let by_hand = task.was(key).is_some_and(|before| !before.active);
    let what = ChangeKind::DeactivateUser { reason };
    let change =
        PlannedChange::new(ChangeSubject::User(id), called(user), what).overwriting(by_hand);
    // Who stays by somebody's decision stays in the teams as well.
    if !task.keep(change, found) && task.input.directory.people.contains_key(&id) {
        found.present.insert(id);
    }
}

/// What the platform calls somebody.
pub(super) fn called(user: &PlatformUser) -> &str {
    user.facts
        .get(&Field::DisplayName)
        .unwrap_or(&user.user_name)
}

/// The manager of somebody who is there: only now it is known who else is.
fn managed(task: &Comparison<'_>, id: ObjectId, found: &mut UserFindings) {
    if !task.input.features.keeps(Field::Manager) {
        return;
    }
    let Some(person) = task.input.directory.people.get(&id) else {
        return;
    };
    let wanted = manager(id, person, &found.present);
    let unclear = |id: &ObjectId| task.linked.twice.contains_key(id);
    if unclear(&id) || wanted.as_ref().is_some_and(unclear) {
        return;
    }
    let key = task
        .linked
        .users
        .get(&id)
        .copied()
        .or_else(|| task.to_link(id, found));
    let user = key.and_then(|key| task.linked.platform.users.get(key));
    let member = |user: &PlatformUser| {
        let manager = user.facts.get(&Field::Manager)?;
        Some(task.linked.member(manager).to_string())
    };
    let old = user.and_then(member);
    let new = wanted.map(|manager| manager.to_string());
    if old == new {
        return;
    }
    let before = key.and_then(|key| task.was(key));
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
    let people = &task.input.directory.people;
    let new_name = wanted
        .and_then(|id| people.get(&id))
        .map(DirectoryPerson::called);
    let managing = user.and_then(|user| {
        let manager = user.facts.get(&Field::Manager)?;
        task.linked.platform.users.get(manager)
    });
    let change = PlannedChange::new(ChangeSubject::User(id), &person.called(), what)
        .overwriting(by_hand)
        .about(&new_name.unwrap_or_default())
        .instead_of(managing.map_or("", called));
    task.keep(change, found);
}
