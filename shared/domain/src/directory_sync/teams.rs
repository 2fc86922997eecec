//! Compares teams: creates and renames them, changes members and supervisors, and archives teams
//! that are no longer needed.

use std::collections::BTreeSet;

use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings};
use super::desired_state;
use super::desired_state::DesiredTeam;
use super::keys::{ChangeSubject, Member, TeamKey};
use super::target::{PlatformTeam, PlatformUser};
use crate::base::ids::ObjectId;

/// Compares all teams. Returns the number of current members of the synced teams.
pub(super) fn compare(comparison: &Comparison<'_>, findings: &mut Findings) -> usize {
    let input = comparison.input;
    let present = std::mem::take(&mut findings.present);
    let mut wanted = desired_state::teams(input.config, input.directory, &present);
    for team in wanted.values_mut() {
        // Users with several linked accounts are left out: it is unknown which account is the right
        // one.
        team.members
            .retain(|id| !comparison.linked.ambiguous.contains_key(id));
        team.supervisors
            .retain(|id| !comparison.linked.ambiguous.contains_key(id));
    }
    findings.present = present;
    let mut memberships = 0;
    for (key, team) in &wanted {
        match comparison.linked.teams.get(key) {
            Some(id) => existing(comparison, *key, id, team, findings),
            None => create(comparison, *key, team, findings),
        }
    }
    let kept = comparison.linked.teams.iter();
    for (key, id) in kept.filter(|(key, _)| is_kept(comparison, **key)) {
        let team = &comparison.linked.platform.teams[*id];
        memberships += team.members.len();
        if !wanted.contains_key(key) {
            archive(comparison, *key, team, findings);
        }
    }
    memberships
}

/// Returns true if teams of this kind are synced; teams of a disabled kind are not changed.
fn is_kept(comparison: &Comparison<'_>, key: TeamKey) -> bool {
    match key {
        TeamKey::Group(_) => comparison.input.config.teams.groups,
        TeamKey::Manager(_) => comparison.input.config.teams.managers,
    }
}

fn create(comparison: &Comparison<'_>, key: TeamKey, team: &DesiredTeam, findings: &mut Findings) {
    if team.members.is_empty() {
        return;
    }
    let supervisors = if comparison.input.features.supervisors {
        team.supervisors.clone()
    } else {
        BTreeSet::new()
    };
    let what = ChangeKind::CreateTeam {
        name: team.name.clone(),
        members: team.members.clone(),
        supervisors,
    };
    let before = comparison.input.before.map(|before| before.teams.values());
    let by_hand = before
        .into_iter()
        .flatten()
        .any(|team| team.team == Some(key));
    comparison.propose(
        PlannedChange::new(ChangeSubject::Team(key), &team.name, what).overwriting(by_hand),
        findings,
    );
}

fn existing(
    comparison: &Comparison<'_>,
    key: TeamKey,
    id: &str,
    wanted: &DesiredTeam,
    findings: &mut Findings,
) {
    let team = &comparison.linked.platform.teams[id];
    let before = comparison
        .input
        .before
        .and_then(|before| before.teams.get(id));
    let subject = ChangeSubject::Team(key);
    if team.archived && comparison.input.features.supervisors && !wanted.members.is_empty() {
        let by_hand = before.is_some_and(|before| !before.archived);
        let back =
            PlannedChange::new(subject, &wanted.name, ChangeKind::RestoreTeam).overwriting(by_hand);
        if !comparison.propose(back, findings) {
            return;
        }
    }
    if team.name != wanted.name {
        let what = ChangeKind::RenameTeam {
            old: team.name.clone(),
            new: wanted.name.clone(),
        };
        let by_hand = before.is_some_and(|before| before.name != team.name);
        comparison.propose(
            PlannedChange::new(subject, &wanted.name, what).overwriting(by_hand),
            findings,
        );
    }
    let members = Side {
        now: &team.members,
        before: before.map(|before| &before.members),
        wanted: &wanted.members,
        add: |member| ChangeKind::AddMember { member },
        remove: |member| ChangeKind::RemoveMember { member },
    };
    members.compare(comparison, subject, &wanted.name, findings);
    if comparison.input.features.supervisors {
        let supervisors = Side {
            now: &team.supervisors,
            before: before.map(|before| &before.supervisors),
            wanted: &wanted.supervisors,
            add: |member| ChangeKind::AddSupervisor { member },
            remove: |member| ChangeKind::RemoveSupervisor { member },
        };
        supervisors.compare(comparison, subject, &wanted.name, findings);
    }
}

/// The member list or the supervisor list of a team.
struct Side<'s> {
    now: &'s BTreeSet<String>,
    before: Option<&'s BTreeSet<String>>,
    wanted: &'s BTreeSet<ObjectId>,
    add: fn(Member) -> ChangeKind,
    remove: fn(Member) -> ChangeKind,
}

impl Side<'_> {
    fn compare(
        &self,
        comparison: &Comparison<'_>,
        subject: ChangeSubject,
        name: &str,
        findings: &mut Findings,
    ) {
        let mut present = BTreeSet::new();
        for key in self.now {
            let member = comparison.linked.member(key);
            let user = comparison.linked.platform.users.get(key);
            if let Member::Person(person) = member {
                present.insert(person);
                if self.wanted.contains(&person) {
                    continue;
                }
            } else if user.is_some_and(|user| user.person.is_some()) {
                // One of several accounts linked to the same user: it is unknown which is the right
                // one.
                continue;
            }
            let by_hand = self.before.is_some_and(|before| !before.contains(key));
            let change = PlannedChange::new(subject, name, (self.remove)(member));
            let change = change
                .about(user.map_or(key, PlatformUser::label))
                .overwriting(by_hand);
            comparison.propose(change, findings);
        }
        for person in self.wanted.difference(&present) {
            let key = comparison.linked.users.get(person);
            let was = |before: &BTreeSet<String>| key.is_some_and(|key| before.contains(*key));
            let by_hand = self.before.is_some_and(was);
            let named = comparison.input.directory.people.get(person);
            let named = named.map(super::source::DirectoryPerson::label);
            let change = PlannedChange::new(subject, name, (self.add)(Member::Person(*person)));
            let change = change
                .about(&named.unwrap_or_default())
                .overwriting(by_hand);
            comparison.propose(change, findings);
        }
    }
}

/// Proposes to empty and archive a team that is no longer needed (S2-29).
fn archive(
    comparison: &Comparison<'_>,
    key: TeamKey,
    team: &PlatformTeam,
    findings: &mut Findings,
) {
    let marked = team.archived || !comparison.input.features.supervisors;
    if marked && team.members.is_empty() {
        return;
    }
    let what = ChangeKind::ArchiveTeam {
        members: team.members.len(),
    };
    comparison.propose(
        PlannedChange::new(ChangeSubject::Team(key), &team.name, what),
        findings,
    );
}
