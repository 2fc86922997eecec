//! People who want an address they do not have yet: created, linked or renamed, if nobody is in the way.

use super::address_allocation::{Claim, Holders, allocate};
use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings};
use super::desired_state::facts;
use super::keys::{ChangeSubject, Field};
use super::skip_reason::SkipReason;
use super::target::PlatformUser;
use super::users::compare_fields;
use crate::base::text::fold;

/// Creates, links and renames those whose addresses are free, or become so.
pub(super) fn resolve(comparison: &Comparison<'_>, claims: Vec<Claim>, findings: &mut Findings) {
    let holders = Holders::of(comparison.linked.platform);
    let mut open = Vec::new();
    for claim in claims {
        // Before anything else: what nobody may do takes no address away.
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

/// The change a claim comes to.
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

/// The account without a link that has the address, where linking is allowed.
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
    // An address in other letters may be another address; a suspended account, or
    // one that something else keeps, is nobody's to take.
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
        // The name to sign in with is the address already; the mail address is not.
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
