//! Compares users: creates, links, changes, deactivates, reactivates or skips them.

use std::collections::{BTreeMap, BTreeSet};

use super::address_allocation::Claim;
use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings};
use super::desired_state::{facts, is_kept};
use super::eligibility::{Eligibility, Scope};
use super::keys::{ChangeSubject, Field};
use super::skip_reason::{DepartureReason, Skip, SkipReason};
use super::source::{DirectoryPerson, Gone};
use super::target::{Facts, PlatformUser};
use crate::base::ids::ObjectId;
use crate::base::text::fold;

/// Compares all users of the directory and of the platform. Returns the claims of users who need an
/// address that they do not have yet.
pub(super) fn compare(comparison: &Comparison<'_>, findings: &mut Findings) -> Vec<Claim> {
    let mut claims = Vec::new();
    let scope = Scope::new(
        comparison.input.config,
        comparison.input.directory,
        comparison.input.matches_graph_filter,
    );
    let shared = shared_addresses(comparison, &scope);
    for (id, person) in &comparison.input.directory.people {
        match scope.eligibility(*id, person) {
            Eligibility::Eligible => {
                compare_eligible(comparison, *id, person, &shared, &mut claims, findings);
            }
            Eligibility::Lacking(fields) => {
                findings.skip(*id, person, SkipReason::Lacking { fields });
                if comparison
                    .linked
                    .user(*id)
                    .is_some_and(|(_, user)| user.active)
                {
                    findings.present.insert(*id);
                }
            }
            Eligibility::Ineligible(reason) => leave(comparison, *id, reason, findings),
        }
    }
    for (id, gone) in &comparison.input.directory.gone {
        let reason = match gone {
            Gone::Deleted => DepartureReason::Deleted,
            Gone::Vanished => DepartureReason::Vanished,
        };
        leave(comparison, *id, reason, findings);
    }
    unknown(comparison, findings);
    claims
}

/// Skips active accounts whose user is neither in the directory nor recorded as gone. The reason is
/// unknown, so an administrator has to check them.
fn unknown(comparison: &Comparison<'_>, findings: &mut Findings) {
    let directory = comparison.input.directory;
    let knows =
        |id: &ObjectId| directory.people.contains_key(id) || directory.gone.contains_key(id);
    for (id, key) in comparison.linked.users.iter().filter(|(id, _)| !knows(id)) {
        let user = &comparison.linked.platform.users[*key];
        if user.active {
            let name = user.label().to_owned();
            let reason = SkipReason::Unknown;
            findings.skipped.push(Skip {
                person: *id,
                name,
                reason,
            });
        }
    }
}

/// Returns the addresses that more than one eligible user has.
fn shared_addresses(comparison: &Comparison<'_>, scope: &Scope<'_>) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    for (id, person) in &comparison.input.directory.people {
        if scope.eligibility(*id, person) == Eligibility::Eligible
            && let Some(email) = person.email.as_deref().and_then(fold)
        {
            *seen.entry(email).or_insert(0_u32) += 1;
        }
    }
    let several = seen.into_iter().filter(|(_, people)| *people > 1);
    several.map(|(email, _)| email).collect()
}

fn compare_eligible(
    comparison: &Comparison<'_>,
    id: ObjectId,
    person: &DirectoryPerson,
    shared: &BTreeSet<String>,
    claims: &mut Vec<Claim>,
    findings: &mut Findings,
) {
    if let Some(users) = comparison.linked.ambiguous.get(&id) {
        let users = users.iter().map(|&user| user.to_owned()).collect();
        findings.skip(id, person, SkipReason::LinkedTwice { users });
        // The user stays as is, so the user's team must not be archived.
        findings.present.insert(id);
        return;
    }
    let facts = facts(person, comparison.input.config, comparison.input.features);
    let email = facts.get(&Field::Email).cloned().unwrap_or_default();
    let is_shared = fold(&email).is_some_and(|folded| shared.contains(&folded));
    let Some((key, user)) = comparison.linked.user(id) else {
        if is_shared {
            findings.skip(id, person, SkipReason::SharedAddress { email });
        } else {
            claims.push(Claim {
                person: id,
                user: None,
                email,
            });
        }
        return;
    };
    if user.active || comparison.propose(reactivate(comparison, id, key, &person.label()), findings)
    {
        findings.present.insert(id);
    }
    let renamed = compare_fields(
        comparison,
        id,
        (key, user),
        &facts,
        &person.label(),
        findings,
    );
    if renamed {
        if is_shared {
            findings.skip(id, person, SkipReason::SharedAddress { email });
        } else {
            claims.push(Claim {
                person: id,
                user: Some(key.to_owned()),
                email,
            });
        }
    }
}

fn reactivate(comparison: &Comparison<'_>, id: ObjectId, key: &str, name: &str) -> PlannedChange {
    let by_hand = comparison.previous(key).is_some_and(|before| before.active);
    PlannedChange::new(ChangeSubject::User(id), name, ChangeKind::ReactivateUser)
        .overwriting(by_hand)
}

/// Proposes changes of all fields except address and manager. Returns true if the address differs.
pub(super) fn compare_fields(
    comparison: &Comparison<'_>,
    id: ObjectId,
    (key, user): (&str, &PlatformUser),
    compare_eligible: &Facts,
    name: &str,
    findings: &mut Findings,
) -> bool {
    let before = comparison.previous(key);
    for field in [
        Field::FirstName,
        Field::LastName,
        Field::DisplayName,
        Field::JobTitle,
        Field::Department,
    ] {
        if !is_kept(field, comparison.input.config, comparison.input.features) {
            continue;
        }
        let (old, new) = (user.facts.get(&field), compare_eligible.get(&field));
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
        comparison.propose(change, findings);
    }
    let email = compare_eligible
        .get(&Field::Email)
        .and_then(|email| fold(email));
    let differs = |value: &str| fold(value) != email;
    differs(&user.user_name) || user.facts.get(&Field::Email).is_some_and(|it| differs(it))
}

/// Proposes to deactivate a user who no longer belongs on the platform but is active there.
fn leave(
    comparison: &Comparison<'_>,
    id: ObjectId,
    reason: DepartureReason,
    findings: &mut Findings,
) {
    let keys = comparison.linked.users.get(&id).copied();
    let ambiguous = comparison
        .linked
        .ambiguous
        .get(&id)
        .into_iter()
        .flatten()
        .copied();
    let active = |key: &str| {
        comparison
            .linked
            .platform
            .users
            .get(key)
            .is_some_and(|user| user.active)
    };
    let Some(key) = keys.into_iter().chain(ambiguous).find(|key| active(key)) else {
        return;
    };
    let user = &comparison.linked.platform.users[key];
    let by_hand = comparison
        .previous(key)
        .is_some_and(|before| !before.active);
    let what = ChangeKind::DeactivateUser { reason };
    let change =
        PlannedChange::new(ChangeSubject::User(id), user.label(), what).overwriting(by_hand);
    // A user whose deactivation is pinned stays in the teams as well.
    if !comparison.propose(change, findings) && comparison.input.directory.people.contains_key(&id)
    {
        findings.present.insert(id);
    }
}
