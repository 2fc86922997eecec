//! Tests warnings about values, courses and audiences, which depend on the snapshot.

use super::*;

#[test]
fn a_value_no_one_has_is_named_with_the_one_that_was_meant() {
    let world = academy();
    let mut profile = profile("P");
    profile.filter.properties = Some(or(&[
        rule("city", "=", json!(" Dever")),
        rule("city", "!=", json!("Oslo")),
        rule("city", "in", json!(["DENVER", "San Diago", "Osl", "Bern"])),
        rule("city", "in", json!("a, b, c, d, e, f, g, denver")),
        rule("jobTitle", "beginsWith", json!("Manager")),
        rule("jobTitle", "endsWith", json!("Manager")),
        rule("jobTitle", "contains", json!("neering")),
        rule("jobTitle", "contains", json!("Director")),
        rule("company", "=", json!("Contoso")),
        rule(&custom("Number"), "=", json!(7)),
    ]));
    let told: Vec<_> = linted(&world, &profile)
        .iter()
        .filter(|warning| warning.kind == WarningKind::UnknownValue)
        .map(|warning| format!("{} {}", &warning.pointer[19..], warning.detail))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    rules/0 no learner's City is "Dever"; did you mean "Denver"?
    rules/1 no learner's City is "Oslo"
    rules/2 no learner's City is any of "Bern", "Osl", "San Diago" (did you mean "San Diego"?)
    rules/3 no learner's City is any of "a", "b", "c", "d", "e" and 2 more
    rules/4 no learner's Job Title begins with "Manager"
    rules/7 no learner's Job Title contains "Director"
    rules/8 no learner's Company is "Contoso"
    "#);
}

#[test]
fn the_whole_audience_is_judged_unless_other_profiles_take_part() {
    let world = academy();
    let kinds = |profile: &Profile| -> Vec<(WarningKind, String)> {
        let found = linted(&world, profile).into_iter();
        found
            .map(|warning| (warning.kind, warning.pointer))
            .collect()
    };
    let mut profile = profile("P");
    profile.filter.properties = Some(and(&[rule("title", "notNull", Value::Null)]));
    assert_eq!(
        kinds(&profile),
        [(WarningKind::MatchesEverybody, "/filter".to_owned())]
    );
    profile.overrides.exclude = [Target::User(World::user("Ada"))].into();
    assert_eq!(kinds(&profile), []);
    profile.filter.properties = Some(and(&[rule("title", "null", Value::Null)]));
    assert_eq!(
        kinds(&profile),
        [(WarningKind::MatchesNobody, "/filter".to_owned())]
    );
    profile.overrides.include = [Target::Profile(profile_id("Other"))].into();
    assert_eq!(kinds(&profile), []);
    assert_eq!(size_warning(&profile, 0, 0), None);
    assert!(size_warning(&profile, 7, 7).is_some() && size_warning(&profile, 6, 7).is_none());
}

#[test]
fn courses_no_one_can_see_are_named() {
    let mut world = academy();
    let mut snapshot = world.snapshot();
    world.remove_course("B");
    let hidden = snapshot
        .courses
        .iter_mut()
        .find(|course| course.title == "A");
    hidden.expect("course missing").published = false;
    snapshot.courses.retain(|course| course.title != "B");
    let mut profile = profile("P");
    profile.courses = ["A", "B"].map(World::course_id).into();
    profile.filter.activities = Some(or(&[
        rule(&course("A"), "notCompleted", Value::Null),
        rule(&course("A"), "enrolled", Value::Null),
    ]));
    let places: Vec<CourseId> = profile.courses.iter().copied().collect();
    let place = |title: &str| {
        let place = places.iter().position(|id| *id == World::course_id(title));
        format!("/courses/{}", place.expect("course not selected"))
    };
    let found = lint(&profile, &snapshot, &Fields::of(&snapshot), slot());
    let of = |kind: WarningKind| -> Vec<String> {
        let found = found.iter().filter(|warning| warning.kind == kind);
        found.map(|warning| warning.pointer.clone()).collect()
    };
    assert_eq!(of(WarningKind::DeletedCourse), [place("B")]);
    let rules = [0, 1].map(|index| format!("/filter/activities/rules/{index}"));
    let [first, second] = rules;
    assert_eq!(
        of(WarningKind::UnpublishedCourse),
        [place("A"), first, second]
    );
}
