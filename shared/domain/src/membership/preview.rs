//! The effects of saving a profile: who joins and leaves, whether it would be held, and the
//! courses.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::plan::diff::Accounts;
use crate::audience::audience_change::{AudienceChange, Members};
use crate::base::ids::CourseId;
use crate::base::rowset::RowSet;
use crate::base::throttle::{Exceeded, Throttle, exceeded_by};
use crate::snapshot::Snapshot;
use crate::snapshot::name_order::{NameOrder, NamePage, Person};
use crate::snapshot::search::{Matcher, Query};

/// The current members of a group.
#[derive(Debug, Clone, Copy)]
pub struct Current<'a> {
    /// Members that are learners, as rows of the snapshot.
    pub rows: &'a RowSet,
    /// Number of other members: users unknown to the LMS, nested groups and devices. All of them
    /// leave.
    pub others: usize,
}

/// The input of a preview.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The learners' accounts in the snapshot, determined once for all previews.
    pub accounts: &'a Accounts,
    /// The profile's audience, evaluated against `current.rows`, or against no members if they are
    /// not known.
    pub change: &'a AudienceChange,
    /// The group's members; empty for a group that does not exist yet. `None` if they are not
    /// known.
    pub current: Option<Current<'a>>,
    /// The profile's limits.
    pub throttle: &'a Throttle,
    /// The courses in which the group is enrolled now.
    pub courses_before: &'a BTreeSet<CourseId>,
    /// The courses in which it would be enrolled.
    pub courses_after: &'a BTreeSet<CourseId>,
}

/// The expected changes. Numbers that depend on the current members are `None` if these are not
/// known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Number of users in the audience.
    pub audience: usize,
    /// Number of them who can be in the group.
    pub reachable: usize,
    /// Number of them without an Entra account, who cannot be in the group.
    pub unreachable: usize,
    /// Number of current members, learners or not.
    pub current: Option<usize>,
    /// Number of members that would join.
    pub joins: Option<usize>,
    /// Number of members that would leave, including those who are not learners.
    pub leaves: Option<usize>,
    /// Number of current members that are not learners.
    pub not_learners: Option<usize>,
    /// Number of members that would stay.
    pub unchanged: Option<usize>,
    /// The limits that would hold the change (S4-061); also `None` if the current members are not
    /// known.
    pub hold: Option<Exceeded>,
    /// Courses in which the group would be enrolled, sorted by title.
    pub courses_gained: Vec<CourseName>,
    /// Courses from which it would be unenrolled, sorted by title.
    pub courses_lost: Vec<CourseName>,
}

/// A course with its title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CourseName {
    /// The course id.
    pub id: CourseId,
    /// The title; `None` if the course no longer exists.
    pub title: Option<String>,
}

/// The list of users to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Learners who would join the group.
    Joins,
    /// Current and former learners who would leave the group.
    Leaves,
    /// All users in the audience.
    Members,
    /// All users in the audience without an Entra account.
    Unreachable,
}

/// The reason why a user is on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rules match.
    MatchesRules,
    /// The rules do not match, but an override includes the user.
    Included,
    /// A learner who is not in the audience.
    NotInAudience,
    /// No longer a learner.
    NotALearner,
}

/// A user on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The user.
    #[serde(flatten)]
    pub person: Person,
    /// The reason.
    pub reason: Reason,
    /// True if the user has an Entra account and can be in a group.
    pub reachable: bool,
}

/// A preview with the users that its numbers count.
#[derive(Debug, Clone)]
pub struct PreviewResult {
    preview: Preview,
    audience: Members,
    joins: RowSet,
    /// Those of `joins` who are members only by an override.
    joins_included: RowSet,
    leaves: RowSet,
}

impl PreviewResult {
    /// Computes the preview. The numbers equal those of the plan that the next run would make from
    /// the same data ([`crate::membership::plan::diff::plan`]).
    pub fn of(question: &Question<'_>) -> Self {
        let Question {
            snapshot,
            accounts,
            change,
            current,
            ..
        } = *question;
        let no_members = RowSet::new(snapshot.people.rows());
        let now = current.map_or(&no_members, |current| current.rows);
        let audience = change.members(now);
        let (mut joins, mut leaves) = (no_members.clone(), no_members.clone());
        let mut joins_included = no_members.clone();
        if current.is_some() {
            // In the form of a group's members: each account once.
            let mut wanted = audience.all.clone();
            accounts.canonicalize(&mut wanted);
            joins.extend(wanted.difference(now));
            leaves.extend(now.difference(&wanted));
            // A user who shares an account with a user matched by the rules joins by the rules.
            let mut by_rules = audience.all.clone();
            by_rules.subtract(&audience.included);
            accounts.canonicalize(&mut by_rules);
            joins_included.extend(joins.difference(&by_rules));
        }
        Self {
            preview: preview(question, joins.len(), leaves.len()),
            audience,
            joins,
            joins_included,
            leaves,
        }
    }

    /// Returns the numbers.
    pub fn preview(&self) -> &Preview {
        &self.preview
    }

    /// Returns the members of the audience.
    pub fn audience(&self) -> &Members {
        &self.audience
    }

    /// Returns a page of a list, sorted by name, optionally filtered by a search. `order` and
    /// `snapshot` must belong to the data from which the preview was made.
    pub fn people(
        &self,
        snapshot: &Snapshot,
        order: &NameOrder,
        list: List,
        search: Option<&str>,
        (offset, limit): (usize, usize),
    ) -> NamePage<Entry> {
        let people = &snapshot.people;
        let matcher = search.map(|text| Matcher::new(snapshot, &Query::new(text)));
        let (rows, only_unreachable) = match list {
            List::Joins => (&self.joins, false),
            List::Leaves => (&self.leaves, false),
            List::Members => (&self.audience.all, false),
            List::Unreachable => (&self.audience.all, true),
        };
        let rows = rows
            .iter()
            .filter(|row| !only_unreachable || !people.is_reachable(*row))
            .filter(|row| matcher.as_ref().is_none_or(|it| it.matches(*row)));
        let rows: Vec<u32> = rows.collect();
        let total = rows.len();
        let entries = order.page(snapshot, rows, offset, limit).into_iter();
        let entries = entries.filter_map(|row| {
            Some(Entry {
                person: Person::of(snapshot, row)?,
                reason: self.reason(snapshot, list, row),
                reachable: people.is_reachable(row),
            })
        });
        NamePage {
            total,
            entries: entries.collect(),
        }
    }

    fn reason(&self, snapshot: &Snapshot, list: List, row: u32) -> Reason {
        let included = match list {
            List::Leaves if snapshot.people.living.contains(row) => return Reason::NotInAudience,
            List::Leaves => return Reason::NotALearner,
            List::Joins => &self.joins_included,
            List::Members | List::Unreachable => &self.audience.included,
        };
        if included.contains(row) {
            Reason::Included
        } else {
            Reason::MatchesRules
        }
    }
}

fn preview(question: &Question<'_>, joins: usize, leaves: usize) -> Preview {
    let Question {
        snapshot,
        change,
        current,
        ..
    } = *question;
    let (audience, unreachable) = (change.members as usize, change.unreachable as usize);
    let (before, after) = (question.courses_before, question.courses_after);
    let names = |courses: &mut dyn Iterator<Item = &CourseId>| {
        let named = courses.map(|id| CourseName {
            id: *id,
            title: snapshot.course(*id).map(|course| course.title.clone()),
        });
        let mut named: Vec<CourseName> = named.collect();
        named.sort_by(|a, b| a.title.cmp(&b.title));
        named
    };
    Preview {
        audience,
        reachable: audience - unreachable,
        unreachable,
        current: current.map(|now| now.rows.len() + now.others),
        joins: current.map(|_| joins),
        leaves: current.map(|now| leaves + now.others),
        not_learners: current.map(|now| now.others),
        unchanged: current.map(|now| now.rows.len() - leaves),
        hold: current.and_then(|now| {
            let changes = joins + leaves + now.others;
            exceeded_by(changes, now.rows.len() + now.others, question.throttle)
        }),
        courses_gained: names(&mut after.difference(before)),
        courses_lost: names(&mut before.difference(after)),
    }
}

#[cfg(test)]
mod tests {
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
                throttle: &throttle,
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
        let courses =
            |titles: &[&str]| titles.iter().map(|title| World::course_id(title)).collect();
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
            prop_assert_eq!(preview.hold, exceeded(&plan, &throttle));
            let objects = |rows: &RowSet| -> BTreeSet<_> {
                rows.iter().filter_map(|row| scene.snapshot.people.object_ids[row as usize]).collect()
            };
            prop_assert_eq!(objects(&outlook.joins), plan.adds.keys().copied().collect());
        }
    }
}
