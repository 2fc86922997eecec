//! Compares teams: created, renamed, members and supervisors changed, archived when nobody is left to manage.

use std::collections::BTreeSet;

use super::change::{ChangeKind, PlannedChange};
use super::desired_state;
use super::desired_state::WantedTeam;
use super::keys::{ChangeSubject, Member, TeamKey};
use super::plan::Comparison;
use super::target::PlatformTeam;
use super::users::{UserFindings, called};
use crate::base::ids::ObjectId;

/// Compares all teams; answers how many members those of ours have now.
pub(super) fn compare(task: &Comparison<'_>, found: &mut UserFindings) -> usize {
    let input = task.input;
    let present = std::mem::take(&mut found.present);
    let mut wanted = desired_state::teams(input.config, input.directory, &present);
    for team in wanted.values_mut() {
        // Of several accounts of a person nobody knows which counts.
        team.members
            .retain(|id| !task.linked.twice.contains_key(id));
        team.supervisors
            .retain(|id| !task.linked.twice.contains_key(id));
    }
    found.present = present;
    let mut memberships = 0;
    for (key, team) in &wanted {
        match task.linked.teams.get(key) {
            Some(id) => existing(task, *key, id, team, found),
            None => create(task, *key, team, found),
        }
    }
    let kept = task.linked.teams.iter();
    for (key, id) in kept.filter(|(key, _)| is_kept(task, **key)) {
        let team = &task.linked.platform.teams[*id];
        memberships += team.members.len();
        if !wanted.contains_key(key) {
            archive(task, *key, team, found);
        }
    }
    memberships
}

/// Whether teams of this kind are kept; those of a switch that is off are left alone.
fn is_kept(task: &Comparison<'_>, key: TeamKey) -> bool {
    match key {
        TeamKey::Group(_) => task.input.config.teams.groups,
        TeamKey::Manager(_) => task.input.config.teams.managers,
    }
}

fn create(task: &Comparison<'_>, key: TeamKey, team: &WantedTeam, found: &mut UserFindings) {
    if team.members.is_empty() {
        return;
    }
    let supervisors = if task.input.features.supervisors {
        team.supervisors.clone()
    } else {
        BTreeSet::new()
    };
    let what = ChangeKind::CreateTeam {
        name: team.name.clone(),
        members: team.members.clone(),
        supervisors,
    };
    let before = task.input.before.map(|before| before.teams.values());
    let by_hand = before
        .into_iter()
        .flatten()
        .any(|team| team.team == Some(key));
    task.keep(
        PlannedChange::new(ChangeSubject::Team(key), &team.name, what).overwriting(by_hand),
        found,
    );
}

fn existing(
    task: &Comparison<'_>,
    key: TeamKey,
    id: &str,
    wanted: &WantedTeam,
    found: &mut UserFindings,
) {
    let team = &task.linked.platform.teams[id];
    let before = task.input.before.and_then(|before| before.teams.get(id));
    let subject = ChangeSubject::Team(key);
    if team.archived && task.input.features.supervisors && !wanted.members.is_empty() {
        let by_hand = before.is_some_and(|before| !before.archived);
        let back =
            PlannedChange::new(subject, &wanted.name, ChangeKind::RestoreTeam).overwriting(by_hand);
        if !task.keep(back, found) {
            return;
        }
    }
    if team.name != wanted.name {
        let what = ChangeKind::RenameTeam {
            old: team.name.clone(),
            new: wanted.name.clone(),
        };
        let by_hand = before.is_some_and(|before| before.name != team.name);
        task.keep(
            PlannedChange::new(subject, &wanted.name, what).overwriting(by_hand),
            found,
        );
    }
    let members = Side {
        now: &team.members,
        before: before.map(|before| &before.members),
        wanted: &wanted.members,
        add: |member| ChangeKind::AddMember { member },
        remove: |member| ChangeKind::RemoveMember { member },
    };
    members.compare(task, subject, &wanted.name, found);
    if task.input.features.supervisors {
        let supervisors = Side {
            now: &team.supervisors,
            before: before.map(|before| &before.supervisors),
            wanted: &wanted.supervisors,
            add: |member| ChangeKind::AddSupervisor { member },
            remove: |member| ChangeKind::RemoveSupervisor { member },
        };
        supervisors.compare(task, subject, &wanted.name, found);
    }
}

/// One list of people of a team.
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
        task: &Comparison<'_>,
        subject: ChangeSubject,
        name: &str,
        found: &mut UserFindings,
    ) {
        let mut there = BTreeSet::new();
        for key in self.now {
            let member = task.linked.member(key);
            let user = task.linked.platform.users.get(key);
            if let Member::Person(person) = member {
                there.insert(person);
                if self.wanted.contains(&person) {
                    continue;
                }
            } else if user.is_some_and(|user| user.person.is_some()) {
                // One of several accounts of a person: nobody knows which counts.
                continue;
            }
            let by_hand = self.before.is_some_and(|before| !before.contains(key));
            let change = PlannedChange::new(subject, name, (self.remove)(member));
            let change = change.about(user.map_or(key, called)).overwriting(by_hand);
            task.keep(change, found);
        }
        for person in self.wanted.difference(&there) {
            let key = task.linked.users.get(person);
            let was = |before: &BTreeSet<String>| key.is_some_and(|key| before.contains(*key));
            let by_hand = self.before.is_some_and(was);
            let named = task.input.directory.people.get(person);
            let named = named.map(super::source::DirectoryPerson::called);
            let change = PlannedChange::new(subject, name, (self.add)(Member::Person(*person)));
            let change = change
                .about(&named.unwrap_or_default())
                .overwriting(by_hand);
            task.keep(change, found);
        }
    }
}

/// A team that nobody needs any more is emptied and archived (S2-29).
fn archive(task: &Comparison<'_>, key: TeamKey, team: &PlatformTeam, found: &mut UserFindings) {
    let marked = team.archived || !task.input.features.supervisors;
    if marked && team.members.is_empty() {
        return;
    }
    let what = ChangeKind::ArchiveTeam {
        members: team.members.len(),
    };
    task.keep(
        PlannedChange::new(ChangeSubject::Team(key), &team.name, what),
        found,
    );
}
