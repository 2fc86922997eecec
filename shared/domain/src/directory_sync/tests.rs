//! The comparison as a whole: examples, and properties over random directories.

use std::collections::{BTreeMap, BTreeSet};

use super::testing::{person, person_id as id};
use super::*;
use crate::base::audit::Actor;
use crate::base::ids::ObjectId;
use crate::base::text::fold;
use proptest::prelude::*;

fn config() -> SyncConfig {
    let mut config = SyncConfig::new("https://lms.example/scim");
    config.teams = TeamSwitches {
        groups: true,
        managers: true,
    };
    config
}

/// A comparison of these two, with everything else as it is by default.
struct Side<'a> {
    config: &'a SyncConfig,
    directory: &'a SourceDirectory,
    pins: Pins,
    before: Option<&'a Platform>,
}

impl<'a> Side<'a> {
    fn new(config: &'a SyncConfig, directory: &'a SourceDirectory) -> Self {
        Self {
            config,
            directory,
            pins: Pins::default(),
            before: None,
        }
    }

    fn plan(&self, platform: &Platform) -> SyncPlan {
        plan(PlanInput {
            config: self.config,
            directory: self.directory,
            fitting: None,
            platform,
            features: Features::ALL,
            pins: &self.pins,
            before: self.before,
        })
    }
}

/// Makes every change as a platform would that takes no address twice.
fn carry_out(platform: &Platform, changes: &[PlannedChange]) -> Platform {
    let mut mirror = TargetReplica::new(platform.clone());
    let mut made = 0;
    for phase in phases(changes, platform) {
        for write in &phase.writes {
            made += 1;
            let key = format!("new-{}-{made}", platform.users.len() + platform.teams.len());
            mirror.record_write(write, Some(&key));
            let names: Vec<_> = mirror
                .platform()
                .users
                .values()
                .map(|user| fold(&user.user_name))
                .collect();
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(
                distinct.len(),
                names.len(),
                "two users of one name after {write:?}"
            );
        }
    }
    mirror.into_platform()
}

fn lines(plan: &SyncPlan) -> Vec<String> {
    plan.changes.iter().map(ToString::to_string).collect()
}

fn directory(people: impl IntoIterator<Item = (u32, DirectoryPerson)>) -> SourceDirectory {
    let mut directory = SourceDirectory::default();
    for (number, person) in people {
        directory.put(id(number), person);
    }
    directory
}

/// A directory of three, and the platform after its first sync.
fn settled(config: &SyncConfig) -> (SourceDirectory, Platform) {
    let report = |number| DirectoryPerson {
        manager: Some(id(1)),
        ..person(number)
    };
    let mut directory = directory([(1, person(1)), (2, report(2)), (3, report(3))]);
    let group = directory.groups.entry(id(90)).or_default();
    group.name = "Sales".to_owned();
    group.members = BTreeSet::from([id(2), id(3)]);
    let plan = Side::new(config, &directory).plan(&Platform::default());
    let platform = carry_out(&Platform::default(), &plan.changes);
    (directory, platform)
}

/// Proves S2-04, S2-05, S2-23…S2-28: a first sync, in words.
#[test]
fn a_first_sync_creates_everybody_and_their_teams() {
    let config = config();
    let (directory, platform) = settled(&config);
    let plan = Side::new(&config, &directory).plan(&Platform::default());
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    create First1 Last1 (person-1@contoso.example)
    create First2 Last2 (person-2@contoso.example)
    First2 Last2: manager from nothing to First1 Last1
    create First3 Last3 (person-3@contoso.example)
    First3 Last3: manager from nothing to First1 Last1
    create the team "Sales" with 2 people
    create the team "First1 Last1's team" with 3 people
    "#);
    let counts = plan.counts();
    assert_eq!(
        (
            counts.users_created,
            counts.users_updated,
            counts.teams_created
        ),
        (3, 0, 2)
    );
    assert!(Side::new(&config, &directory).plan(&platform).is_empty());
}

/// Proves S2-06 and C-35: who is disabled, deleted or gone is deactivated, never
/// deleted, leaves the teams, and comes back when the directory has them again.
#[test]
fn who_leaves_is_deactivated_and_comes_back() {
    let config = config();
    let (mut directory, platform) = settled(&config);
    let before = directory.clone();
    directory.people.get_mut(&id(2)).expect("somebody").enabled = false;
    directory.delete(id(3));
    let plan = Side::new(&config, &directory).plan(&platform);
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    deactivate First2 Last2: the account is disabled in Microsoft Entra ID
    deactivate First3 Last3: the account was deleted in Microsoft Entra ID
    First2 Last2 leaves "Sales"
    First3 Last3 leaves "Sales"
    archive the team "First1 Last1's team" of 3 people
    "#);
    let after = carry_out(&platform, &plan.changes);
    assert_eq!(after.users.len(), 3, "nobody is deleted");
    assert!(Side::new(&config, &directory).plan(&after).is_empty());
    let plan = Side::new(&config, &before).plan(&after);
    let counts = plan.counts();
    assert_eq!(
        (
            counts.users_reactivated,
            counts.users_created,
            counts.teams_created
        ),
        (2, 0, 0)
    );
    let back = carry_out(&after, &plan.changes);
    assert_eq!(back, platform);
}

/// Proves S2-29: a team whose manager has nobody left is emptied and archived, and
/// a group's team that is merely empty is not.
#[test]
fn a_team_that_nobody_needs_is_archived() {
    let config = config();
    let (mut directory, platform) = settled(&config);
    for number in [2, 3] {
        directory
            .people
            .get_mut(&id(number))
            .expect("somebody")
            .manager = None;
    }
    directory
        .groups
        .get_mut(&id(90))
        .expect("the group")
        .members
        .clear();
    let plan = Side::new(&config, &directory).plan(&platform);
    let after = carry_out(&platform, &plan.changes);
    let archived: Vec<_> = after
        .teams
        .values()
        .map(|team| (team.name.as_str(), team.members.len(), team.archived))
        .collect();
    assert!(
        archived.contains(&("First1 Last1's team", 0, true)),
        "{archived:?}"
    );
    assert!(archived.contains(&("Sales", 0, false)), "{archived:?}");
    assert_eq!(plan.counts().teams_archived, 1);
    // A platform that knows no archive: the emptied team is left as it is.
    let mut input = PlanInput {
        config: &config,
        directory: &directory,
        fitting: None,
        platform: &after,
        features: Features {
            supervisors: false,
            ..Features::ALL
        },
        pins: &Pins::default(),
        before: None,
    };
    assert!(plan_of(input).is_empty());
    directory_deletes_group(&mut input, &after);
}

fn plan_of(input: PlanInput<'_>) -> SyncPlan {
    plan(input)
}

/// A group that is gone takes its team with it.
fn directory_deletes_group(input: &mut PlanInput<'_>, platform: &Platform) {
    let mut directory = input.directory.clone();
    directory.groups.clear();
    let plan = plan(PlanInput {
        directory: &directory,
        features: Features::ALL,
        platform,
        ..*input
    });
    assert_eq!(lines(&plan), ["archive the team \"Sales\" of 0 people"]);
}

/// Proves S2-28 (the manager's new name renames the team) and S2-24 (job titles
/// only while they are synced).
#[test]
fn fields_change_one_by_one() {
    let mut config = config();
    let (mut directory, platform) = settled(&config);
    let manager = directory.people.get_mut(&id(1)).expect("somebody");
    manager.display_name = Some("Peter Wright".to_owned());
    manager.job_title = Some("Lead".to_owned());
    manager.department = None;
    let plan = Side::new(&config, &directory).plan(&platform);
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    Peter Wright: department from "Sales" to nothing
    Peter Wright: name from "First1 Last1" to "Peter Wright"
    Peter Wright: job title from "Consultant" to "Lead"
    rename the team "First1 Last1's team" to "Peter Wright's team"
    "#);
    config.job_title = false;
    let plan = Side::new(&config, &directory).plan(&platform);
    assert!(!lines(&plan).iter().any(|line| line.contains("job title")));
}

/// Proves S2-23: who lacks something required is listed and left alone, whether
/// the platform knows them or not; the others go on.
#[test]
fn who_lacks_something_is_listed_and_left_alone() {
    let config = config();
    let (mut directory, platform) = settled(&config);
    directory
        .people
        .get_mut(&id(2))
        .expect("somebody")
        .last_name = None;
    directory.put(
        id(4),
        DirectoryPerson {
            email: None,
            ..person(4)
        },
    );
    let plan = Side::new(&config, &directory).plan(&platform);
    assert!(plan.is_empty(), "{:?}", lines(&plan));
    let skipped: Vec<_> = plan.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "First2 Last2 has no last name in Microsoft Entra ID; enter it there",
            "First4 Last4 has no address in Microsoft Entra ID; enter it there",
        ]
    );
}

/// An address is never what tells people apart: who shares one with somebody, or
/// finds it taken, is listed.
#[test]
fn addresses_collide_visibly() {
    let config = config();
    let address = |number, email: &str| {
        (
            number,
            DirectoryPerson {
                email: Some(email.to_owned()),
                ..person(number)
            },
        )
    };
    let directory = directory([
        address(1, "kay@contoso.example"),
        address(2, "KAY@contoso.example"),
        address(3, "lee@contoso.example"),
    ]);
    let mut platform = Platform::default();
    let local = PlatformUser {
        user_name: "Lee@contoso.example".to_owned(),
        active: true,
        ..PlatformUser::default()
    };
    platform.users.insert("7".to_owned(), local);
    let plan = Side::new(&config, &directory).plan(&platform);
    assert!(plan.is_empty());
    let skipped: Vec<_> = plan.skipped.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(skipped.join("\n"), @"
    First1 Last1 shares the address kay@contoso.example with another account of Microsoft Entra ID; give each its own
    First2 Last2 shares the address KAY@contoso.example with another account of Microsoft Entra ID; give each its own
    First3 Last3 cannot have the address lee@contoso.example: Lee@contoso.example has it on the learning platform
    ");
    let mut linking = config.clone();
    linking.link_existing = true;
    let plan = Side::new(&linking, &directory).plan(&platform);
    assert!(lines(&plan).contains(&"link the existing account of First3 Last3".to_owned()));
    let after = carry_out(&platform, &plan.changes);
    assert_eq!(after.users["7"].person, Some(id(3)));
    let again = Side::new(&linking, &directory).plan(&after);
    assert!(again.is_empty(), "{:?}", lines(&again));
}

/// Proves S3-05 and X-14: what somebody did by hand is undone and told so; what
/// the directory changed is not called that.
#[test]
fn manual_changes_are_undone_and_told() {
    let config = config();
    let (mut directory, before) = settled(&config);
    let mut platform = before.clone();
    let key = |number| {
        before
            .users
            .iter()
            .find(|(_, user)| user.person == Some(id(number)))
            .expect("somebody")
            .0
            .clone()
    };
    platform
        .users
        .get_mut(&key(2))
        .expect("somebody")
        .facts
        .insert(Field::JobTitle, "Boss".to_owned());
    platform.users.get_mut(&key(3)).expect("somebody").active = false;
    let sales = platform
        .teams
        .values_mut()
        .find(|team| team.name == "Sales")
        .expect("the team");
    sales.members.insert(key(1));
    directory
        .people
        .get_mut(&id(1))
        .expect("somebody")
        .department = Some("Board".to_owned());
    let mut side = Side::new(&config, &directory);
    side.before = Some(&before);
    let plan = side.plan(&platform);
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    First1 Last1: department from "Sales" to "Board"
    First2 Last2: job title from "Boss" to "Consultant" (undoes a change made by hand)
    reactivate First3 Last3 (undoes a change made by hand)
    First1 Last1 leaves "Sales" (undoes a change made by hand)
    "#);
    assert_eq!(plan.counts().manual_overwritten, 3);
}

/// Proves S3-04: users and teams that are not the directory's are left alone; an
/// account of somebody the directory does not know is listed.
#[test]
fn what_is_only_the_platforms_is_left_alone() {
    let config = config();
    let (directory, mut platform) = settled(&config);
    let local = PlatformUser {
        user_name: "local@other.example".to_owned(),
        active: true,
        ..PlatformUser::default()
    };
    platform.users.insert("local".to_owned(), local);
    let stranger = PlatformUser {
        person: Some(id(77)),
        user_name: "x@other.example".to_owned(),
        active: true,
        ..PlatformUser::default()
    };
    platform.users.insert("stranger".to_owned(), stranger);
    let own = PlatformTeam {
        name: "Book club".to_owned(),
        members: BTreeSet::from(["local".to_owned()]),
        ..PlatformTeam::default()
    };
    platform.teams.insert("club".to_owned(), own);
    assert!(Side::new(&config, &directory).plan(&platform).is_empty());
}

/// Proves S3-20, S3-21, S3-22, S3-23 and C-26: nothing before approval; what is
/// rejected stays so; what is approved is made as far as it is still the same.
#[test]
fn a_review_decides_change_by_change() {
    let mut config = config();
    config.apply = ApplyMode::Review;
    let (mut directory, platform) = settled(&config);
    directory.put(id(4), person(4));
    directory.put(id(5), person(5));
    directory
        .people
        .get_mut(&id(1))
        .expect("somebody")
        .job_title = Some("Lead".to_owned());
    let plan = Side::new(&config, &directory).plan(&platform);
    let course = decide(&plan, &config, None);
    assert!(course.apply.changes().is_empty());
    assert_eq!((course.waiting.len(), course.held), (3, None));
    // Somebody rejects the fifth person and approves the rest; then the title changes again.
    let rejected = plan
        .changes
        .iter()
        .find(|change| change.subject == ChangeSubject::User(id(5)))
        .expect("a change");
    let pin = Pin::against(rejected, Actor::named("kay"), chrono::DateTime::UNIX_EPOCH);
    let approved = Approved::of(
        plan.changes
            .iter()
            .filter(|change| *change != rejected)
            .cloned(),
    );
    directory
        .people
        .get_mut(&id(1))
        .expect("somebody")
        .job_title = Some("Director".to_owned());
    let mut side = Side::new(&config, &directory);
    side.pins = Pins::from_iter([pin]);
    let now = side.plan(&platform);
    assert_eq!(now.pinned.len(), 1);
    let course = decide(&now, &config, Some(&approved));
    let made: Vec<_> = course
        .apply
        .changes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(made, ["create First4 Last4 (person-4@contoso.example)"]);
    assert_eq!(
        course.waiting.len(),
        1,
        "the title is another one than was approved"
    );
    config.apply = ApplyMode::Automatic;
    let course = decide(&now, &config, None);
    assert_eq!(course.apply.changes().len(), 2);
}

/// Proves C-35: whoever's account ended leaves even while the rest is held, and a
/// decision to keep somebody outside the filters says nothing about that.
#[test]
fn accounts_that_ended_are_not_held_up() {
    let mut config = config();
    let mut directory = directory((1..=20).map(|number| (number, person(number))));
    let start = Side::new(&config, &directory).plan(&Platform::default());
    let platform = carry_out(&Platform::default(), &start.changes);
    config.filters.email = Some(config::EmailFilter {
        include: BTreeSet::from(["person-1@".to_owned(), "person-2@".to_owned()]),
        exclude: BTreeSet::new(),
    });
    let outside = Side::new(&config, &directory).plan(&platform);
    directory.people.get_mut(&id(7)).expect("somebody").enabled = false;
    let mut side = Side::new(&config, &directory);
    let course = decide(&side.plan(&platform), &config, None);
    let gone: Vec<_> = course
        .apply
        .changes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        gone,
        ["deactivate First7 Last7: the account is disabled in Microsoft Entra ID"]
    );
    assert_eq!(course.waiting.len(), 17);
    let pin = |change: &PlannedChange| {
        Pin::against(change, Actor::named("kay"), chrono::DateTime::UNIX_EPOCH)
    };
    side.pins = outside.changes.iter().map(pin).collect();
    let plan = side.plan(&platform);
    assert_eq!((plan.changes.len(), plan.pinned.len()), (1, 17));
}

/// An account that exists is linked only by a person, and never one that is
/// suspended, that something else keeps, or whose address merely looks alike.
#[test]
fn accounts_are_linked_by_people_only() {
    let mut config = config();
    config.link_existing = true;
    let people = [
        (1, "ann@contoso.example"),
        (2, "bob@contoso.example"),
        (3, "cleo@contoso.example"),
        (4, "strasse@contoso.example"),
    ];
    let directory = directory(people.map(|(number, email)| {
        (
            number,
            DirectoryPerson {
                email: Some(email.to_owned()),
                ..person(number)
            },
        )
    }));
    let user = |name: &str| PlatformUser {
        user_name: name.to_owned(),
        active: true,
        ..PlatformUser::default()
    };
    let mut platform = Platform::default();
    platform
        .users
        .insert("1".to_owned(), user("Ann@contoso.example"));
    platform.users.insert(
        "2".to_owned(),
        PlatformUser {
            active: false,
            ..user("bob@contoso.example")
        },
    );
    platform.users.insert(
        "3".to_owned(),
        PlatformUser {
            foreign: true,
            ..user("cleo@contoso.example")
        },
    );
    platform
        .users
        .insert("4".to_owned(), user("straße@contoso.example"));
    let plan = Side::new(&config, &directory).plan(&platform);
    let links: Vec<_> = plan
        .changes
        .iter()
        .filter(|change| matches!(change.what, ChangeKind::LinkUser { .. }))
        .collect();
    assert_eq!(links.len(), 1);
    assert_eq!(plan.skipped.len(), 3, "{:?}", plan.skipped);
    let course = decide(&plan, &config, None);
    assert!(course.apply.changes().is_empty());
    assert_eq!(
        course.held.as_deref(),
        Some("1 existing accounts would be linked to people")
    );
    let course = decide(&plan, &config, Some(&Approved::of(course.waiting)));
    assert_eq!(course.apply.changes().len(), plan.changes.len());
}

/// Of several accounts of one person nobody knows which counts: nobody's team goes
/// because of it, and no manager is taken away.
#[test]
fn a_person_with_two_accounts_changes_nothing_for_others() {
    let config = config();
    let (directory, mut platform) = settled(&config);
    let boss = platform
        .users
        .values()
        .find(|user| user.person == Some(id(1)))
        .cloned()
        .expect("somebody");
    let twin = PlatformUser {
        user_name: "twin@contoso.example".to_owned(),
        ..boss
    };
    platform.users.insert("twin".to_owned(), twin);
    let plan = Side::new(&config, &directory).plan(&platform);
    assert!(plan.is_empty(), "{:?}", lines(&plan));
    assert!(matches!(
        plan.skipped[0].reason,
        SkipReason::LinkedTwice { .. }
    ));
}

/// Proves S3-36: people who fall out of the filters leave only through the guard;
/// the whole plan is held then, and an approval lets it pass.
#[test]
fn a_plan_that_is_too_large_is_held() {
    let mut config = config();
    let people = (1..=20).map(|number| (number, person(number)));
    let directory = directory(people);
    let platform = carry_out(
        &Platform::default(),
        &Side::new(&config, &directory)
            .plan(&Platform::default())
            .changes,
    );
    config.filters.email = Some(config::EmailFilter {
        include: BTreeSet::from(["person-1@".to_owned(), "person-2@".to_owned()]),
        exclude: BTreeSet::new(),
    });
    let plan = Side::new(&config, &directory).plan(&platform);
    let course = decide(&plan, &config, None);
    assert!(course.apply.changes().is_empty());
    let held = course.held.expect("a hold");
    assert_eq!(
        held,
        "18 people would be deactivated; the limit is 10 % of 20"
    );
    let approved = Approved::of(course.waiting);
    let course = decide(&plan, &config, Some(&approved));
    assert_eq!((course.apply.changes().len(), course.held), (18, None));
    config.guard = crate::base::throttle::Throttle {
        max_changes: Some(18),
        max_percent: None,
    };
    assert_eq!(decide(&plan, &config, None).apply.changes().len(), 18);
}

// ---- Properties --------------------------------------------------------------

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

/// People's deeds on the platform: users of its own, and edits of ours.
fn by_hand(platform: &mut Platform, deeds: &[(u8, u8)]) {
    let keys: Vec<String> = platform.users.keys().cloned().collect();
    let teams: Vec<String> = platform.teams.keys().cloned().collect();
    for (deed, value) in deeds {
        let key = keys.get(usize::from(*value) % keys.len().max(1)).cloned();
        match deed % 5 {
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

/// Whoever belongs and is not skipped is on the platform as the directory has them.
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
            eligibility::Eligibility::Wanted if !skipped.contains(id) => {
                let user = user.expect("it exists");
                assert!(user.active);
                assert_eq!(
                    fold(&user.user_name),
                    person.email.as_deref().and_then(fold)
                );
                if config.job_title {
                    assert_eq!(user.facts.get(&Field::JobTitle), person.job_title.as_ref());
                }
            }
            eligibility::Eligibility::Out(_) => assert!(user.is_none_or(|user| !user.active)),
            _ => {}
        }
    }
    for id in directory.gone.keys() {
        assert!(by_person.get(id).is_none_or(|user| !user.active));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    /// A plan that is carried out leads to what is wanted, and leaves nothing to do:
    /// from nothing, from another directory's state, and after edits by hand.
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

    /// The platform's ids, and so the order in which it lists things, make no difference.
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

    /// Proves C-26: what people decided against is in no later plan, and everything
    /// else can still be done.
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

    /// What is applied by itself never takes out more people or members than the limits say.
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
        // All or nothing, but for those whose accounts ended, and links.
        let links = course.waiting.iter().any(|change| matches!(change.what, ChangeKind::LinkUser { .. }));
        prop_assert!(course.waiting.is_empty() || links || applied.changes.len() == departures);
        let linked = applied.changes.iter().any(|change| matches!(change.what, ChangeKind::LinkUser { .. }));
        prop_assert!(!linked);
    }

    /// Cut off after any write, a plan made anew leads to the same end.
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
