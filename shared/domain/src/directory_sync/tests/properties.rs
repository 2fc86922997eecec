//! Properties of every plan, over random directories.

use super::*;

fn any_person() -> impl Strategy_<Value = DirectoryPerson> {
    let email = prop::option::weighted(0.9, 0..8_u8);
    (
        email,
        0..4_u8,
        prop::bool::weighted(0.85),
        any::<bool>(),
        prop::option::of(0..10_u32),
        any::<bool>(),
    )
        .prop_map(
            |(email, title, enabled, guest, manager, named)| DirectoryPerson {
                first_name: Some("Kay".to_owned()).filter(|_| named || enabled),
                last_name: Some("Adams".to_owned()),
                display_name: named.then(|| format!("Kay {title}")),
                email: email.map(|number| format!("mail{number}@contoso.example")),
                sign_in_name: None,
                job_title: (title > 0).then(|| format!("title {title}")),
                department: guest.then(|| "Sales".to_owned()),
                guest,
                enabled,
                manager: manager.map(id),
            },
        )
}

use proptest::strategy::Strategy as Strategy_;

fn any_directory() -> impl Strategy_<Value = SourceDirectory> {
    let people = prop::collection::btree_map(0..10_u32, any_person(), 0..10);
    let groups = prop::collection::btree_map(
        90..93_u32,
        prop::collection::btree_set(0..12_u32, 0..6),
        0..3,
    );
    let gone = prop::collection::btree_set(0..10_u32, 0..4);
    (people, groups, gone).prop_map(|(people, groups, gone)| {
        let mut directory = SourceDirectory::default();
        for number in gone {
            directory.delete(id(number));
        }
        for (number, person) in people {
            directory.put(id(number), person);
        }
        for (number, members) in groups {
            let members = members.into_iter().map(id).collect();
            directory.groups.insert(
                id(number),
                DirectoryGroup {
                    name: format!("Group {number}"),
                    members,
                },
            );
        }
        directory
    })
}

fn any_config() -> impl Strategy_<Value = SyncConfig> {
    any::<[bool; 5]>().prop_map(|[guests, title, groups, managers, link]| {
        let mut config = SyncConfig::new("x");
        config.guests = guests;
        config.job_title = title;
        config.teams = TeamSwitches { groups, managers };
        config.link_existing = link;
        config
    })
}

/// Manual changes on the platform: new local users and edits of synced users and teams.
fn by_hand(platform: &mut Platform, deeds: &[(u8, u8)]) {
    let keys: Vec<String> = platform.users.keys().cloned().collect();
    let teams: Vec<String> = platform.teams.keys().cloned().collect();
    for (operation, value) in deeds {
        let key = keys.get(usize::from(*value) % keys.len().max(1)).cloned();
        match operation % 5 {
            0 => {
                let user_name = format!("mail{value}@contoso.example");
                let taken = platform
                    .users
                    .values()
                    .any(|user| fold(&user.user_name) == fold(&user_name));
                if !taken {
                    let user = PlatformUser {
                        user_name,
                        active: value % 2 == 0,
                        ..PlatformUser::default()
                    };
                    platform.users.insert(format!("local-{value}"), user);
                }
            }
            1 => {
                if let Some(user) = key.and_then(|key| platform.users.get_mut(&key)) {
                    user.active = !user.active;
                    user.facts.insert(Field::JobTitle, "by hand".to_owned());
                }
            }
            2 => {
                if let Some(key) = key {
                    platform.users.remove(&key);
                    for team in platform.teams.values_mut() {
                        team.members.remove(&key);
                        team.supervisors.remove(&key);
                    }
                }
            }
            _ => {
                let team = teams.get(usize::from(*value) % teams.len().max(1));
                if let (Some(team), Some(key)) =
                    (team.and_then(|team| platform.teams.get_mut(team)), key)
                {
                    if !team.members.remove(&key) {
                        team.members.insert(key);
                    }
                    team.name.push('!');
                }
            }
        }
    }
}

/// Checks that every eligible user who is not skipped is on the platform as in the directory.
fn assert_as_wanted(
    config: &SyncConfig,
    directory: &SourceDirectory,
    platform: &Platform,
    plan: &SyncPlan,
) {
    let scope = eligibility::Scope::new(config, directory, None);
    let skipped: BTreeSet<ObjectId> = plan.skipped.iter().map(|skip| skip.person).collect();
    let by_person: BTreeMap<ObjectId, &PlatformUser> = platform
        .users
        .values()
        .filter_map(|user| Some((user.person?, user)))
        .collect();
    for (id, person) in &directory.people {
        let user = by_person.get(id);
        match scope.eligibility(*id, person) {
            eligibility::Eligibility::Eligible if !skipped.contains(id) => {
                let user = user.expect("user not found");
                assert!(user.active);
                assert_eq!(
                    fold(&user.user_name),
                    person.email.as_deref().and_then(fold)
                );
                if config.job_title {
                    assert_eq!(user.facts.get(&Field::JobTitle), person.job_title.as_ref());
                }
            }
            eligibility::Eligibility::Ineligible(_) => {
                assert!(user.is_none_or(|user| !user.active));
            }
            _ => {}
        }
    }
    for id in directory.gone.keys() {
        assert!(by_person.get(id).is_none_or(|user| !user.active));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    /// Applying a plan leads to the desired state and leaves no changes: from an empty platform,
    /// from the state of another directory, and after manual changes.
    #[test]
    fn a_plan_leads_to_what_is_wanted(config in any_config(), first in any_directory(), second in any_directory(), deeds in prop::collection::vec((any::<u8>(), 0..12_u8), 0..6)) {
        let start = Side::new(&config, &first).plan(&Platform::default());
        let before = carry_out(&Platform::default(), &start.changes);
        let mut platform = before.clone();
        by_hand(&mut platform, &deeds);
        let mut side = Side::new(&config, &second);
        side.before = Some(&before);
        let plan = side.plan(&platform);
        let after = carry_out(&platform, &plan.changes);
        assert_as_wanted(&config, &second, &after, &plan);
        side.before = Some(&after);
        let again = side.plan(&after);
        prop_assert!(again.is_empty(), "{:?} after {:?}", lines(&again), lines(&plan));
        prop_assert_eq!(again.skipped.len(), plan.skipped.len());
    }

    /// The platform's ids, and therefore the order of its lists, do not affect the plan.
    #[test]
    fn the_order_of_what_was_read_makes_no_difference(config in any_config(), first in any_directory(), second in any_directory()) {
        let start = Side::new(&config, &first).plan(&Platform::default());
        let platform = carry_out(&Platform::default(), &start.changes);
        let renamed = |key: &String| format!("{:?}", key.chars().rev().collect::<String>());
        let mut other = Platform::default();
        for (key, user) in &platform.users {
            let mut user = user.clone();
            if let Some(manager) = user.facts.get_mut(&Field::Manager) { *manager = renamed(manager); }
            other.users.insert(renamed(key), user);
        }
        for (key, team) in &platform.teams {
            let mut team = team.clone();
            team.members = team.members.iter().map(renamed).collect();
            team.supervisors = team.supervisors.iter().map(renamed).collect();
            other.teams.insert(renamed(key), team);
        }
        let side = Side::new(&config, &second);
        prop_assert_eq!(side.plan(&platform).hash(), side.plan(&other).hash());
    }

    /// Proves C-26: pinned changes are in no later plan, and all other changes can still be made.
    #[test]
    fn pins_are_respected(config in any_config(), first in any_directory(), second in any_directory(), picks in any::<u64>()) {
        let start = Side::new(&config, &first).plan(&Platform::default());
        let platform = carry_out(&Platform::default(), &start.changes);
        let mut side = Side::new(&config, &second);
        let plan = side.plan(&platform);
        let picked = plan.changes.iter().enumerate().filter(|(at, _)| picks >> (at % 64) & 1 == 1);
        let rejected: Vec<PlannedChange> = picked.map(|(_, change)| change.clone()).collect();
        side.pins = rejected.iter().map(|change| Pin::against(change, Actor::named("kay"), chrono::DateTime::UNIX_EPOCH)).collect();
        let now = side.plan(&platform);
        let keys: BTreeSet<String> = rejected.iter().map(PlannedChange::key).collect();
        prop_assert!(now.changes.iter().all(|change| !keys.contains(&change.key())));
        let after = carry_out(&platform, &now.changes);
        let again = side.plan(&after);
        prop_assert!(again.is_empty(), "{:?} after {:?}", lines(&again), lines(&now));
    }

    /// Automatically applied changes never exceed the limits.
    #[test]
    fn the_guard_is_never_exceeded(mut config in any_config(), first in any_directory(), second in any_directory(), count in prop::option::of(0..6_u32), percent in prop::option::of(0..100_u8)) {
        let start = Side::new(&config, &first).plan(&Platform::default());
        let platform = carry_out(&Platform::default(), &start.changes);
        config.guard = crate::base::throttle::Throttle { max_changes: count, max_percent: percent.map(f64::from) };
        let plan = Side::new(&config, &second).plan(&platform);
        let course = decide(&plan, &config, None);
        let applied = SyncPlan { changes: course.apply.changes().to_vec(), ..plan.clone() };
        let ended = |change: &&PlannedChange| matches!(change.what, ChangeKind::DeactivateUser { reason } if reason.is_departure());
        let departures = applied.changes.iter().filter(ended).count();
        let others = applied.leavers() - departures;
        let within = |changes: usize, current: usize, few: usize| {
            count.is_none_or(|limit| changes <= limit as usize)
                && percent.is_none_or(|limit| changes <= few || current == 0 || changes * 100 <= usize::from(limit) * current)
        };
        prop_assert!(within(others, plan.active, 0));
        prop_assert!(within(departures, plan.active, 3));
        prop_assert!(within(applied.removals(), plan.memberships, 0));
        // Everything or nothing, except ended accounts and links.
        let links = course.waiting.iter().any(|change| matches!(change.what, ChangeKind::LinkUser { .. }));
        prop_assert!(course.waiting.is_empty() || links || applied.changes.len() == departures);
        let linked = applied.changes.iter().any(|change| matches!(change.what, ChangeKind::LinkUser { .. }));
        prop_assert!(!linked);
    }

    /// If a run is interrupted after any write, a new plan leads to the same state.
    #[test]
    fn a_run_that_is_cut_off_ends_the_same(config in any_config(), first in any_directory(), second in any_directory(), cut in 0..20_usize) {
        let start = Side::new(&config, &first).plan(&Platform::default());
        let platform = carry_out(&Platform::default(), &start.changes);
        let side = Side::new(&config, &second);
        let plan = side.plan(&platform);
        let mut mirror = TargetReplica::new(platform.clone());
        let writes = phases(&plan.changes, &platform).into_iter().flat_map(|phase| phase.writes);
        for (at, write) in writes.take(cut).enumerate() {
            mirror.record_write(&write, Some(&format!("cut-{at}")));
        }
        let half = mirror.into_platform();
        let rest = side.plan(&half);
        let after = carry_out(&half, &rest.changes);
        assert_as_wanted(&config, &second, &after, &rest);
        prop_assert!(side.plan(&after).is_empty());
        let whole = carry_out(&platform, &plan.changes);
        let active = |platform: &Platform| -> BTreeSet<Option<ObjectId>> {
            platform.users.values().filter(|user| user.active).map(|user| user.person).collect()
        };
        prop_assert_eq!(active(&whole), active(&after));
    }
}
