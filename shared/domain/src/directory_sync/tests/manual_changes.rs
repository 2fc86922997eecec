//! Manual changes on the platform.

use super::*;

/// Proves S3-05 and X-14: manual changes are undone and marked; changes of the directory are not
/// marked.
#[test]
fn manual_changes_are_undone_and_reported() {
    let config = config();
    let (mut directory, before) = settled(&config);
    let mut platform = before.clone();
    let key = |number| {
        before
            .users
            .iter()
            .find(|(_, user)| user.person == Some(id(number)))
            .expect("user not found")
            .0
            .clone()
    };
    platform
        .users
        .get_mut(&key(2))
        .expect("user not found")
        .facts
        .insert(Field::JobTitle, "Boss".to_owned());
    platform
        .users
        .get_mut(&key(3))
        .expect("user not found")
        .active = false;
    let sales = platform
        .teams
        .values_mut()
        .find(|team| team.name == "Sales")
        .expect("team not found");
    sales.members.insert(key(1));
    directory
        .people
        .get_mut(&id(1))
        .expect("user not found")
        .department = Some("Board".to_owned());
    let mut side = Side::new(&config, &directory);
    side.before = Some(&before);
    let plan = side.plan(&platform);
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    First1 Last1: department from "Sales" to "Board"
    First2 Last2: job title from "Boss" to "Consultant" (undoes a manual change)
    reactivate First3 Last3 (undoes a manual change)
    First1 Last1 leaves "Sales" (undoes a manual change)
    "#);
    assert_eq!(plan.counts().manual_overwritten, 3);
}

/// Proves S3-04: users and teams that exist only on the platform are not changed; an account whose
/// user is not in the directory is listed.
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
