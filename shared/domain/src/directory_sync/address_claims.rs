//! People who want an address they do not have yet: created, linked or renamed, if nobody is in the way.

use super::address_allocation::{Claim, Holders, settle};
use super::change::{ChangeKind, PlannedChange};
use super::desired_state::facts;
use super::keys::{ChangeSubject, Field};
use super::plan::Comparison;
use super::skip_reason::SkipReason;
use super::target::PlatformUser;
use super::users::{UserFindings, called, fields};
use crate::base::text::fold;

/// Creates, links and renames those whose addresses are free, or become so.
pub(super) fn resolve_claims(task: &Comparison<'_>, claims: Vec<Claim>, found: &mut UserFindings) {
    let holders = Holders::of(task.linked.platform);
    let mut open = Vec::new();
    for claim in claims {
        // Before anything else: what nobody may do takes no address away.
        if task.input.pins.holds(&shape(task, &claim)) {
            task.keep(shape(task, &claim), found);
        } else if let Some(key) = linkable(task, &claim, &holders) {
            link(task, &claim, key, found);
        } else {
            open.push(claim);
        }
    }
    let (met, unmet) = settle(open, &holders);
    for claim in met {
        let change = shape(task, &claim);
        if task.keep(change, found) && claim.user.is_none() {
            found.present.insert(claim.person);
        }
    }
    for (claim, holder) in unmet {
        let by = task
            .linked
            .platform
            .users
            .get(holder)
            .map_or(holder, called)
            .to_owned();
        let reason = SkipReason::AddressTaken {
            email: claim.email.clone(),
            by,
        };
        found.skip(
            claim.person,
            &task.input.directory.people[&claim.person],
            reason,
        );
    }
}

/// The change a claim comes to.
fn shape(task: &Comparison<'_>, claim: &Claim) -> PlannedChange {
    let person = &task.input.directory.people[&claim.person];
    let subject = ChangeSubject::User(claim.person);
    let Some(key) = &claim.user else {
        let facts = facts(person, task.input.config, task.input.features);
        let by_hand = task.once_linked(claim.person);
        return PlannedChange::new(subject, &person.called(), ChangeKind::CreateUser { facts })
            .overwriting(by_hand);
    };
    let user = &task.linked.platform.users[key];
    let shown = |user: &PlatformUser| {
        let other = user
            .facts
            .get(&Field::Email)
            .filter(|it| fold(it) != fold(&claim.email));
        other.unwrap_or(&user.user_name).clone()
    };
    let old = shown(user);
    let by_hand = task.was(key).is_some_and(|before| shown(before) != old);
    let what = ChangeKind::SetField {
        field: Field::Email,
        old: Some(old),
        new: Some(claim.email.clone()),
    };
    PlannedChange::new(subject, &person.called(), what).overwriting(by_hand)
}

/// The account without a link that has the address, where linking is allowed.
fn linkable<'p>(task: &Comparison<'p>, claim: &Claim, holders: &Holders<'p>) -> Option<&'p str> {
    if !task.input.config.link_existing || claim.user.is_some() {
        return None;
    }
    let key = holders.of_name(&claim.email)?;
    let user = task.linked.platform.users.get(key)?;
    // An address in other letters may be another address; a suspended account, or
    // one that something else keeps, is nobody's to take.
    let same = user
        .user_name
        .trim()
        .eq_ignore_ascii_case(claim.email.trim());
    (user.person.is_none() && !user.foreign && user.active && same).then_some(key)
}

fn link(task: &Comparison<'_>, claim: &Claim, key: &str, found: &mut UserFindings) {
    let person = &task.input.directory.people[&claim.person];
    let name = person.called();
    let what = ChangeKind::LinkUser {
        user: key.to_owned(),
    };
    if !task.keep(
        PlannedChange::new(ChangeSubject::User(claim.person), &name, what),
        found,
    ) {
        return;
    }
    let user = &task.linked.platform.users[key];
    found.present.insert(claim.person);
    let facts = facts(person, task.input.config, task.input.features);
    if fields(task, claim.person, (key, user), &facts, &name, found) {
        // The name to sign in with is the address already; the mail address is not.
        let old = user.facts.get(&Field::Email).cloned();
        let new = Some(claim.email.clone());
        let what = ChangeKind::SetField {
            field: Field::Email,
            old,
            new,
        };
        task.keep(
            PlannedChange::new(ChangeSubject::User(claim.person), &name, what),
            found,
        );
    }
}
