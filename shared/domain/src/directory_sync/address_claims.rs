//! Resolves address claims: users are created, linked or renamed if their address is free.

use super::address_allocation::{Claim, Holders, allocate};
use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings};
use super::desired_state::facts;
use super::keys::{ChangeSubject, Field};
use super::skip_reason::SkipReason;
use super::target::PlatformUser;
use super::users::compare_fields;
use crate::base::text::fold;

/// Proposes to create, link or rename users whose address is free or becomes free.
pub(super) fn resolve(comparison: &Comparison<'_>, claims: Vec<Claim>, findings: &mut Findings) {
    let holders = Holders::of(comparison.linked.platform);
    let mut open = Vec::new();
    for claim in claims {
        // First of all: a pinned change must not block the address for others.
        if comparison
            .input
            .pins
            .holds(&planned_change(comparison, &claim))
        {
            comparison.propose(planned_change(comparison, &claim), findings);
        } else if let Some(key) = linkable(comparison, &claim, &holders) {
            link(comparison, &claim, key, findings);
        } else {
            open.push(claim);
        }
    }
    let (met, unmet) = allocate(open, &holders);
    for claim in met {
        let change = planned_change(comparison, &claim);
        if comparison.propose(change, findings) && claim.user.is_none() {
            findings.present.insert(claim.person);
        }
    }
    for (claim, holder) in unmet {
        let by = comparison
            .linked
            .platform
            .users
            .get(holder)
            .map_or(holder, PlatformUser::label)
            .to_owned();
        let reason = SkipReason::AddressTaken {
            email: claim.email.clone(),
            by,
        };
        findings.skip(
            claim.person,
            &comparison.input.directory.people[&claim.person],
            reason,
        );
    }
}

/// Returns the change that meets a claim.
fn planned_change(comparison: &Comparison<'_>, claim: &Claim) -> PlannedChange {
    let person = &comparison.input.directory.people[&claim.person];
    let subject = ChangeSubject::User(claim.person);
    let Some(key) = &claim.user else {
        let facts = facts(person, comparison.input.config, comparison.input.features);
        let by_hand = comparison.was_linked(claim.person);
        return PlannedChange::new(subject, &person.label(), ChangeKind::CreateUser { facts })
            .overwriting(by_hand);
    };
    let user = &comparison.linked.platform.users[key];
    let shown = |user: &PlatformUser| {
        let other = user
            .facts
            .get(&Field::Email)
            .filter(|it| fold(it) != fold(&claim.email));
        other.unwrap_or(&user.user_name).clone()
    };
    let old = shown(user);
    let by_hand = comparison
        .previous(key)
        .is_some_and(|before| shown(before) != old);
    let what = ChangeKind::SetField {
        field: Field::Email,
        old: Some(old),
        new: Some(claim.email.clone()),
    };
    PlannedChange::new(subject, &person.label(), what).overwriting(by_hand)
}

/// Returns the unlinked account that has the address, if the configuration allows linking.
fn linkable<'p>(
    comparison: &Comparison<'p>,
    claim: &Claim,
    holders: &Holders<'p>,
) -> Option<&'p str> {
    if !comparison.input.config.link_existing || claim.user.is_some() {
        return None;
    }
    let key = holders.of_name(&claim.email)?;
    let user = comparison.linked.platform.users.get(key)?;
    // An address in different letters may be a different address. A suspended account, or one that
    // another system manages, must not be linked.
    let same = user
        .user_name
        .trim()
        .eq_ignore_ascii_case(claim.email.trim());
    (user.person.is_none() && !user.foreign && user.active && same).then_some(key)
}

fn link(comparison: &Comparison<'_>, claim: &Claim, key: &str, findings: &mut Findings) {
    let person = &comparison.input.directory.people[&claim.person];
    let name = person.label();
    let what = ChangeKind::LinkUser {
        user: key.to_owned(),
    };
    if !comparison.propose(
        PlannedChange::new(ChangeSubject::User(claim.person), &name, what),
        findings,
    ) {
        return;
    }
    let user = &comparison.linked.platform.users[key];
    findings.present.insert(claim.person);
    let facts = facts(person, comparison.input.config, comparison.input.features);
    if compare_fields(
        comparison,
        claim.person,
        (key, user),
        &facts,
        &name,
        findings,
    ) {
        // The sign-in name already is the address; the e-mail address is not.
        let old = user.facts.get(&Field::Email).cloned();
        let new = Some(claim.email.clone());
        let what = ChangeKind::SetField {
            field: Field::Email,
            old,
            new,
        };
        comparison.propose(
            PlannedChange::new(ChangeSubject::User(claim.person), &name, what),
            findings,
        );
    }
}
