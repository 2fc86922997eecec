//! Users are created, linked, changed, deactivated and skipped.

use super::*;

/// Proves S2-04, S2-05, S2-23…S2-28: the changes of a first sync.
#[test]
fn a_first_sync_creates_everyone_and_their_teams() {
    let config = config();
    let (directory, platform) = settled(&config);
    let plan = Side::new(&config, &directory).plan(&Platform::default());
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    create First1 Last1 (person-1@contoso.example)
    create First2 Last2 (person-2@contoso.example)
    First2 Last2: manager from nothing to First1 Last1
    create First3 Last3 (person-3@contoso.example)
    First3 Last3: manager from nothing to First1 Last1
    create the team "Sales" with 2 members
    create the team "First1 Last1's team" with 3 members
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

/// Proves S2-06 and C-35: disabled, deleted and vanished users are deactivated, never deleted,
/// leave the teams, and are reactivated when they are in the directory again.
#[test]
fn who_leaves_is_deactivated_and_comes_back() {
    let config = config();
    let (mut directory, platform) = settled(&config);
    let before = directory.clone();
    directory
        .people
        .get_mut(&id(2))
        .expect("user not found")
        .enabled = false;
    directory.delete(id(3));
    let plan = Side::new(&config, &directory).plan(&platform);
    insta::assert_snapshot!(lines(&plan).join("\n"), @r#"
    deactivate First2 Last2: the account is disabled in Microsoft Entra ID
    deactivate First3 Last3: the account was deleted in Microsoft Entra ID
    First2 Last2 leaves "Sales"
    First3 Last3 leaves "Sales"
    archive the team "First1 Last1's team" with 3 members
    "#);
    let after = carry_out(&platform, &plan.changes);
    assert_eq!(after.users.len(), 3, "a user was deleted");
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

/// Proves S2-28 (a manager's new name renames the team) and S2-24 (job titles are changed only if
/// they are synced).
#[test]
fn fields_change_one_by_one() {
    let mut config = config();
    let (mut directory, platform) = settled(&config);
    let manager = directory.people.get_mut(&id(1)).expect("user not found");
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

/// Proves S2-23: a user without a required field is listed and not changed, whether or not the
/// platform has an account; other users are synced.
#[test]
fn who_lacks_something_is_listed_and_left_alone() {
    let config = config();
    let (mut directory, platform) = settled(&config);
    directory
        .people
        .get_mut(&id(2))
        .expect("user not found")
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

/// An address never identifies a user: users with a shared or taken address are listed.
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

/// An existing account is linked only after an approval, and never if it is suspended, managed by
/// another system, or has only a similar address.
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
        Some("1 existing accounts would be linked to directory users")
    );
    let course = decide(&plan, &config, Some(&Approved::of(course.waiting)));
    assert_eq!(course.apply.changes().len(), plan.changes.len());
}

/// If a user has several linked accounts, nothing changes for other users: no team is archived and
/// no manager is removed.
#[test]
fn a_person_with_two_accounts_changes_nothing_for_others() {
    let config = config();
    let (directory, mut platform) = settled(&config);
    let boss = platform
        .users
        .values()
        .find(|user| user.person == Some(id(1)))
        .cloned()
        .expect("user not found");
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
