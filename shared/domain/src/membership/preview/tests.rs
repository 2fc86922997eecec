//! Tests of the preview against a run.

use crate::base::throttle::{Limits, Throttle};
use std::collections::BTreeMap;

use super::*;
use crate::audience::desired_members::{Audience, evaluate};
use crate::audience::profile::{Profile, Target};
use crate::membership::plan::diff::{GroupMembers, PlanTarget, plan};
use crate::membership::plan::guard::exceeded;
use crate::rules::Fields;
use crate::testing::{World, profile, slot};
use proptest::prelude::*;

const LEARNERS: [&str; 7] = [
    "Ada",
    "Grace",
    "Edsger",
    "Barbara",
    "Donald",
    "Ada's twin",
    "Flo",
];

/// Learners, one of whom shares Ada's account; Flo without an account; Alan, a former learner.
fn snapshot() -> Snapshot {
    let mut world = World::new();
    for name in [
        "Ada",
        "Grace",
        "Edsger",
        "Barbara",
        "Donald",
        "Ada's twin",
        "Alan",
    ] {
        world
            .person(name)
            .with("city", if name < "D" { "Denver" } else { "Oslo" });
    }
    world.person("Flo").with("city", "Denver").without_entra();
    world.course("Security 101");
    world.course("Outlook");
    let mut snapshot = world.snapshot();
    let people = &mut snapshot.people;
    let (twin, left) = (row(people, "Ada's twin"), row(people, "Alan"));
    people.object_ids[twin as usize] = Some(World::object("Ada"));
    people.living.remove(left);
    snapshot
}

fn row(people: &crate::snapshot::People, name: &str) -> u32 {
    people.row(World::user(name)).expect("user missing")
}

fn denver(include: &[&str], exclude: &[&str]) -> Profile {
    let mut profile = profile("P");
    profile.filter.properties = Some(serde_json::json!({
        "combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "Denver"}]
    }));
    let users = |names: &[&str]| {
        let users = names.iter().map(|name| Target::User(World::user(name)));
        users.collect()
    };
    profile.overrides.include = users(include);
    profile.overrides.exclude = users(exclude);
    profile
}

fn change(snapshot: &Snapshot, profile: &Profile, current: Option<&RowSet>) -> AudienceChange {
    let audience = Audience::of(profile, &Fields::of(snapshot)).expect("no audience");
    let current: BTreeMap<_, _> = current
        .map(|rows| (profile.id, rows.clone()))
        .into_iter()
        .collect();
    let change = evaluate(&[Ok(audience)], snapshot, slot(), &current).remove(&profile.id);
    change
        .expect("profile missing in the result")
        .expect("no audience")
}

/// The data of a preview.
struct Scene {
    snapshot: Snapshot,
    accounts: Accounts,
    current: Option<GroupMembers>,
    change: AudienceChange,
}

fn limits(throttle: Throttle) -> Limits {
    Limits {
        throttle,
        ..Limits::default()
    }
}

impl Scene {
    fn new(profile: &Profile, members: Option<&[&str]>, strangers: usize) -> Self {
        let snapshot = snapshot();
        let accounts = Accounts::of(&snapshot.people);
        let current = members.map(|members| {
            let strangers = (0..strangers).map(|number| World::object(&format!("S{number}")));
            let users = members
                .iter()
                .map(|name| World::object(name))
                .chain(strangers);
            GroupMembers::of(&snapshot, &accounts, users, BTreeSet::new())
        });
        let rows = current.as_ref().map(|members| &members.rows);
        let change = change(&snapshot, profile, rows);
        Self {
            snapshot,
            accounts,
            current,
            change,
        }
    }

    fn outlook(
        &self,
        throttle: Throttle,
        before: &BTreeSet<CourseId>,
        after: &BTreeSet<CourseId>,
    ) -> PreviewResult {
        PreviewResult::of(&Question {
            snapshot: &self.snapshot,
            accounts: &self.accounts,
            change: &self.change,
            current: self.current.as_ref().map(|members| Current {
                rows: &members.rows,
                others: members.users.len() + members.others.len(),
            }),
            limits: &limits(throttle),
            courses_before: before,
            courses_after: after,
        })
    }

    fn list(
        &self,
        outlook: &PreviewResult,
        list: List,
        search: Option<&str>,
    ) -> Vec<(String, Reason)> {
        let order = NameOrder::of(&self.snapshot);
        let page = outlook.people(&self.snapshot, &order, list, search, (0, 99));
        assert_eq!(page.total, page.entries.len());
        let entries = page.entries.into_iter();
        entries
            .map(|entry| (entry.person.name.unwrap_or_default(), entry.reason))
            .collect()
    }
}

fn no_courses() -> BTreeSet<CourseId> {
    BTreeSet::new()
}

/// Proves S4-042: joining and leaving users are listed before anything is saved.
#[test]
fn people_are_listed_with_reasons_paged_and_searched() {
    let profile = denver(&["Donald", "Ada"], &["Barbara"]);
    let scene = Scene::new(&profile, Some(&["Edsger", "Alan", "Barbara"]), 2);
    let outlook = scene.outlook(Throttle::default(), &no_courses(), &no_courses());
    let list = |list, search| -> Vec<String> {
        let found = scene.list(&outlook, list, search).into_iter();
        found
            .map(|(name, reason)| format!("{name}: {reason:?}"))
            .collect()
    };
    assert_eq!(
        list(List::Joins, None),
        ["Ada: MatchesRules", "Donald: Included"]
    );
    assert_eq!(
        list(List::Leaves, None),
        [
            "Alan: NotALearner",
            "Barbara: NotInAudience",
            "Edsger: NotInAudience"
        ]
    );
    assert_eq!(
        list(List::Members, None),
        [
            "Ada: MatchesRules",
            "Ada's twin: MatchesRules",
            "Donald: Included",
            "Flo: MatchesRules"
        ]
    );
    assert_eq!(list(List::Unreachable, None), ["Flo: MatchesRules"]);
    assert_eq!(
        list(List::Members, Some("twin")),
        ["Ada's twin: MatchesRules"]
    );
    let order = NameOrder::of(&scene.snapshot);
    let page = outlook.people(&scene.snapshot, &order, List::Members, None, (1, 1));
    assert_eq!((page.total, page.entries.len()), (4, 1));
    let written = serde_json::to_value(&page.entries[0]).expect("entry not serialized");
    assert_eq!(written["reason"], "matches_rules");
    assert_eq!(written["name"], "Ada's twin");
}

/// Proves S4-061: the preview shows whether the change would be held.
#[test]
fn the_numbers_say_what_the_next_run_would_do() {
    let scene = Scene::new(&denver(&["Donald"], &[]), Some(&["Edsger", "Barbara"]), 1);
    let courses = |titles: &[&str]| titles.iter().map(|title| World::course_id(title)).collect();
    let throttle = Throttle {
        max_changes: Some(3),
        max_percent: Some(500.0),
    };
    let before = courses(&["Outlook", "Gone"]);
    let outlook = scene.outlook(throttle, &before, &courses(&["Outlook", "Security 101"]));
    let text = serde_json::to_string_pretty(outlook.preview()).expect("preview not serialized");
    let read: Preview = serde_json::from_str(&text).expect("preview not deserialized");
    assert_eq!(&read, outlook.preview());
    insta::assert_snapshot!(text, @r#"
    {
      "audience": 5,
      "reachable": 4,
      "unreachable": 1,
      "current": 3,
      "joins": 2,
      "leaves": 2,
      "notLearners": 1,
      "unchanged": 1,
      "hold": {
        "changes": 4,
        "current": 3,
        "maxChanges": 3,
        "maxPercent": null
      },
      "coursesGained": [
        {
          "id": "630e1350-485c-6d02-5ac1-c0b74473cf25",
          "title": "Security 101"
        }
      ],
      "coursesLost": [
        {
          "id": "ab000035-6340-003d-486a-c91a603a1136",
          "title": null
        }
      ]
    }
    "#);
}

#[test]
fn without_the_current_members_only_the_audience_is_known() {
    let scene = Scene::new(&denver(&[], &[]), None, 0);
    let throttle = Throttle {
        max_changes: Some(0),
        max_percent: None,
    };
    let outlook = scene.outlook(throttle, &no_courses(), &no_courses());
    let preview = outlook.preview();
    assert_eq!(
        (preview.audience, preview.reachable, preview.unreachable),
        (4, 3, 1)
    );
    assert_eq!(
        (preview.current, preview.joins, preview.unchanged),
        (None, None, None)
    );
    assert_eq!(preview.hold, None);
    assert!(scene.list(&outlook, List::Joins, None).is_empty());
    assert_eq!(scene.list(&outlook, List::Members, None).len(), 4);
}

proptest! {
    /// The preview equals the plan.
    #[test]
    fn the_numbers_are_those_of_the_plan(
        include in proptest::sample::subsequence(LEARNERS.to_vec(), 0..4),
        exclude in proptest::sample::subsequence(LEARNERS.to_vec(), 0..4),
        members in proptest::sample::subsequence(vec!["Ada", "Grace", "Edsger", "Barbara", "Donald", "Alan"], 0..6),
        strangers in 0usize..3,
        limit in 0u32..6,
        percent in 0u32..200,
    ) {
        let profile = denver(&include, &exclude);
        let scene = Scene::new(&profile, Some(&members), strangers);
        let throttle = Throttle { max_changes: Some(limit), max_percent: Some(f64::from(percent)) };
        let outlook = scene.outlook(throttle, &no_courses(), &no_courses());
        let current = scene.current.as_ref().expect("members not known");
        let subject = PlanTarget { profile: profile.id, group: None };
        let plan = plan(subject, &scene.snapshot, &scene.accounts, &scene.change, current);
        let preview = outlook.preview();
        prop_assert_eq!(preview.current, Some(plan.current));
        prop_assert_eq!(preview.joins, Some(plan.adds.len()));
        prop_assert_eq!(preview.leaves, Some(plan.removes.len()));
        prop_assert_eq!(preview.unchanged, Some(plan.current - plan.removes.len()));
        prop_assert_eq!(preview.unreachable, plan.unreachable);
        prop_assert_eq!(preview.hold, exceeded(&plan, &limits(throttle)));
        let objects = |rows: &RowSet| -> BTreeSet<_> {
            rows.iter().filter_map(|row| scene.snapshot.people.object_ids[row as usize]).collect()
        };
        prop_assert_eq!(objects(&outlook.joins), plan.adds.keys().copied().collect());
    }
}
