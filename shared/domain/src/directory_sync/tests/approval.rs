//! Which changes are applied and which wait.

use super::*;

/// Proves S3-20, S3-21, S3-22, S3-23 and C-26: nothing is applied before the approval; rejected
/// changes are not made; approved changes are made if they are still the same.
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
        .expect("user not found")
        .job_title = Some("Lead".to_owned());
    let plan = Side::new(&config, &directory).plan(&platform);
    let course = decide(&plan, &config, None);
    assert!(course.apply.changes().is_empty());
    assert_eq!((course.waiting.len(), course.held), (3, None));
    // The fifth user is rejected and the rest approved; then the job title changes again.
    let rejected = plan
        .changes
        .iter()
        .find(|change| change.subject == ChangeSubject::User(id(5)))
        .expect("change not found");
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
        .expect("user not found")
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
        "the new job title was not held although it was not approved"
    );
    config.apply = ApplyMode::Automatic;
    let course = decide(&now, &config, None);
    assert_eq!(course.apply.changes().len(), 2);
}

/// Proves C-35: ended accounts are deactivated even while the rest is held, also if a pin keeps the
/// user outside the filters.
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
    directory
        .people
        .get_mut(&id(7))
        .expect("user not found")
        .enabled = false;
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

/// Proves S3-36: users who no longer match the filters are deactivated only within the limits;
/// otherwise the whole plan is held until it is approved.
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
    let held = course.held.expect("plan not held");
    assert_eq!(
        held,
        "18 users would be deactivated; the limit is 10 % of 20"
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
