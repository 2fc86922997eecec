//! The desired state: the fields of each user and the teams that the platform should have.

use std::collections::{BTreeMap, BTreeSet};

use super::config::SyncConfig;
use super::keys::{Field, TeamKey};
use super::source::{DirectoryPerson, SourceDirectory};
use super::target::{Facts, Features};
use crate::base::ids::ObjectId;
use crate::base::text::clean;

/// A team as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredTeam {
    /// Name of the team.
    pub name: String,
    /// Members, supervisors included.
    pub members: BTreeSet<ObjectId>,
    /// Supervisors.
    pub supervisors: BTreeSet<ObjectId>,
}

/// Returns the desired fields of a user, except the manager, which depends on the other users.
pub(super) fn facts(person: &DirectoryPerson, config: &SyncConfig, features: Features) -> Facts {
    let text = |value: &Option<String>| value.as_deref().and_then(clean);
    let (first, last) = (text(&person.first_name), text(&person.last_name));
    let full_name = || match (&first, &last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        _ => None,
    };
    let all = [
        (Field::Email, text(&person.email)),
        (
            Field::DisplayName,
            text(&person.display_name).or_else(full_name),
        ),
        (Field::JobTitle, text(&person.job_title)),
        (Field::Department, text(&person.department)),
        (Field::FirstName, first.clone()),
        (Field::LastName, last.clone()),
    ];
    let kept = all
        .into_iter()
        .filter(|(field, _)| is_kept(*field, config, features));
    kept.filter_map(|(field, value)| Some((field, value?)))
        .collect()
}

/// Returns true if the field is synced; other fields are ignored.
pub(super) fn is_kept(field: Field, config: &SyncConfig, features: Features) -> bool {
    features.keeps(field) && (field != Field::JobTitle || config.job_title)
}

/// Returns the user's manager if that is another user who is present.
pub(super) fn manager(
    id: ObjectId,
    person: &DirectoryPerson,
    present: &BTreeSet<ObjectId>,
) -> Option<ObjectId> {
    person
        .manager
        .filter(|manager| *manager != id && present.contains(manager))
}

/// Returns the desired teams for the users in `present`: those who are eligible and active on the
/// platform.
pub(super) fn teams(
    config: &SyncConfig,
    directory: &SourceDirectory,
    present: &BTreeSet<ObjectId>,
) -> BTreeMap<TeamKey, DesiredTeam> {
    let mut wanted = BTreeMap::new();
    if config.teams.groups {
        let chosen = config.filters.groups.as_ref();
        let is_chosen = |id: &ObjectId| chosen.is_none_or(|chosen| chosen.contains(id));
        for (id, group) in directory.groups.iter().filter(|(id, _)| is_chosen(id)) {
            let team = DesiredTeam {
                name: clean(&group.name).unwrap_or_else(|| format!("Group {id}")),
                members: group.members.intersection(present).copied().collect(),
                supervisors: BTreeSet::new(),
            };
            wanted.insert(TeamKey::Group(*id), team);
        }
    }
    if config.teams.managers {
        managers_teams(directory, present, &mut wanted);
    }
    wanted
}

/// Adds one team for each manager who has reports (S2-26, S2-27).
fn managers_teams(
    directory: &SourceDirectory,
    present: &BTreeSet<ObjectId>,
    wanted: &mut BTreeMap<TeamKey, DesiredTeam>,
) {
    let mut reports: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
    for id in present {
        let Some(person) = directory.people.get(id) else {
            continue;
        };
        if let Some(manager) = manager(*id, person, present) {
            reports.entry(manager).or_default().insert(*id);
        }
    }
    let names = team_names(directory, reports.keys());
    for (manager, mut members) in reports {
        members.insert(manager);
        let team = DesiredTeam {
            name: names.get(&manager).cloned().unwrap_or_default(),
            members,
            supervisors: BTreeSet::from([manager]),
        };
        wanted.insert(TeamKey::Manager(manager), team);
    }
}

/// Returns the team names, for example "Peter Wright's team" (S2-28). If several managers have the
/// same name, the address is added.
fn team_names<'a>(
    directory: &SourceDirectory,
    managers: impl Iterator<Item = &'a ObjectId>,
) -> BTreeMap<ObjectId, String> {
    let mut by_name: BTreeMap<String, Vec<ObjectId>> = BTreeMap::new();
    for manager in managers {
        let called = directory.people.get(manager).map(DirectoryPerson::label);
        by_name
            .entry(called.unwrap_or_default())
            .or_default()
            .push(*manager);
    }
    let mut names = BTreeMap::new();
    for (called, managers) in by_name {
        let alone = managers.len() == 1;
        for manager in managers {
            let email = directory
                .people
                .get(&manager)
                .and_then(|it| it.email.clone());
            let name = match email.filter(|_| !alone) {
                Some(email) => format!("{called}'s team ({})", email.trim()),
                None => format!("{called}'s team"),
            };
            names.insert(manager, name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::testing::{person, person_id as id};

    fn directory(
        people: impl IntoIterator<Item = (u32, Option<u32>)>,
    ) -> (SourceDirectory, BTreeSet<ObjectId>) {
        let mut directory = SourceDirectory::default();
        for (number, manager) in people {
            let person = DirectoryPerson {
                manager: manager.map(id),
                ..person(number)
            };
            directory.put(id(number), person);
        }
        let present = directory.people.keys().copied().collect();
        (directory, present)
    }

    fn managers(config: &mut SyncConfig) -> &SyncConfig {
        config.teams.managers = true;
        config
    }

    /// Proves S2-26 and S2-27: ten managers have ten teams; each manager supervises one team, and
    /// all reports of the manager are in it.
    #[test]
    fn every_manager_with_reports_has_a_team() {
        let chain = (1..=30).map(|number| (number, (number > 10).then_some(number % 10 + 1)));
        let (directory, present) = directory(chain);
        let teams = teams(managers(&mut SyncConfig::new("x")), &directory, &present);
        assert_eq!(teams.len(), 10);
        let team = &teams[&TeamKey::Manager(id(1))];
        assert_eq!(team.supervisors, BTreeSet::from([id(1)]));
        assert_eq!(team.members, BTreeSet::from([id(1), id(20), id(30)]));
    }

    /// Proves S2-28: the name of a team; the address distinguishes managers with the same name.
    #[test]
    fn a_team_is_called_after_its_manager() {
        let (mut directory, present) =
            directory([(1, None), (2, Some(1)), (3, None), (4, Some(3))]);
        let mut call = |number: u32, name: &str| {
            directory
                .people
                .get_mut(&id(number))
                .expect("user not found")
                .display_name = Some(name.to_owned());
        };
        call(1, "Peter Wright");
        call(3, "Ann Wood");
        let mut config = SyncConfig::new("x");
        let name = |directory: &SourceDirectory, config: &SyncConfig, number| {
            teams(config, directory, &present)[&TeamKey::Manager(id(number))]
                .name
                .clone()
        };
        let config = managers(&mut config);
        assert_eq!(name(&directory, config, 1), "Peter Wright's team");
        directory
            .people
            .get_mut(&id(3))
            .expect("user not found")
            .display_name = Some("Peter Wright".to_owned());
        assert_eq!(
            name(&directory, config, 1),
            "Peter Wright's team (person-1@contoso.example)"
        );
        assert_eq!(
            name(&directory, config, 3),
            "Peter Wright's team (person-3@contoso.example)"
        );
    }

    /// Proves S2-25: the four combinations of the two switches.
    #[test]
    fn both_switches_work_alone_and_together() {
        let (mut directory, present) = directory([(1, None), (2, Some(1))]);
        directory.groups.entry(id(50)).or_default().members = present.clone();
        for (groups, managers, expected) in [
            (false, false, 0),
            (true, false, 1),
            (false, true, 1),
            (true, true, 2),
        ] {
            let mut config = SyncConfig::new("x");
            config.teams = crate::directory_sync::TeamSwitches { groups, managers };
            assert_eq!(
                teams(&config, &directory, &present).len(),
                expected,
                "{groups} {managers}"
            );
        }
    }

    /// A user who is not present is in no team and manages no team; no user is their own manager.
    #[test]
    fn only_those_present_count() {
        let (directory, mut present) =
            directory([(1, None), (2, Some(1)), (3, Some(3)), (4, Some(9))]);
        present.remove(&id(1));
        assert!(teams(managers(&mut SyncConfig::new("x")), &directory, &present).is_empty());
    }
}
