//! Property tests: the engine finds the same members as the tree walk for each user.

use super::*;

fn text_test() -> impl Strategy<Value = TextPredicate> {
    let word = || select(FOLDED.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        4 => word().prop_map(TextPredicate::Equals),
        2 => word().prop_map(TextPredicate::Contains),
        1 => word().prop_map(TextPredicate::BeginsWith),
        1 => word().prop_map(TextPredicate::EndsWith),
        2 => subsequence(FOLDED.to_vec(), 0..5)
            .prop_map(|words| TextPredicate::In(words.into_iter().map(str::to_owned).collect())),
        1 => select(vec!["^d.*r$", "a", "^$", "[0-9]+"]).prop_map(|pattern| {
            TextPredicate::Matches(RegexBuilder::new(pattern).case_insensitive(true).build().expect("invalid pattern"))
        }),
    ]
}

fn number_test() -> impl Strategy<Value = NumberPredicate> {
    let number = || select(vec![12.0, 12.5, -3.0, 0.0, 7.0]);
    prop_oneof![
        number().prop_map(NumberPredicate::Equals),
        number().prop_map(NumberPredicate::Less),
        number().prop_map(NumberPredicate::AtMost),
        number().prop_map(NumberPredicate::Greater),
        number().prop_map(NumberPredicate::AtLeast),
        (number(), number()).prop_map(|(a, b)| NumberPredicate::Between(a, b)),
        proptest::collection::vec(number(), 0..3).prop_map(NumberPredicate::In),
    ]
}

fn date_test() -> impl Strategy<Value = DatePredicate> {
    let now = slot().timestamp_millis();
    let moment = (-4i64..4).prop_map(move |days| now + days * DAY);
    let days = 1u32..4;
    prop_oneof![
        moment.clone().prop_map(DatePredicate::Before),
        moment.clone().prop_map(DatePredicate::After),
        (moment.clone(), moment).prop_map(|(a, b)| DatePredicate::Within(a, b)),
        days.clone().prop_map(DatePredicate::InLast),
        days.clone().prop_map(DatePredicate::InNext),
        days.prop_map(DatePredicate::MoreThanAgo),
    ]
}

fn activity_test() -> impl Strategy<Value = ActivityPredicate> {
    prop_oneof![
        Just(ActivityPredicate::Completed),
        (1u32..4).prop_map(ActivityPredicate::CompletedInLast),
        Just(ActivityPredicate::Overdue),
        Just(ActivityPredicate::InProgress),
        Just(ActivityPredicate::Enrolled),
    ]
}

fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        5 => (source(), text_test()).prop_map(|(source, test)| Leaf::Text(source, test)),
        1 => source().prop_map(Leaf::Missing),
        1 => number_test().prop_map(|test| Leaf::Number(Source::Custom(field(0)), test)),
        1 => any::<bool>().prop_map(|truth| Leaf::Boolean(Source::Property(Property::City), truth)),
        2 => date_test().prop_map(|test| Leaf::Date(Source::Custom(field(1)), test)),
        1 => date_test().prop_map(|test| Leaf::Date(Source::Custom(field(9)), test)),
        3 => (0u32..4, activity_test()).prop_map(|(number, test)| Leaf::Activity(course(number), test)),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    leaf()
        .prop_map(Expr::Leaf)
        .prop_recursive(4, 12, 3, |inner| {
            let parts = proptest::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                3 => parts.clone().prop_map(Expr::All),
                3 => parts.prop_map(Expr::Any),
                2 => inner.prop_map(|part| Expr::Not(Box::new(part))),
            ]
        })
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let people = prop_oneof![20 => 0u32..90, 1 => 2_000u32..2_200, 1 => 4_090u32..4_100];
    let half_days = || proptest::option::of(-8i64..8);
    let enrolment = (any::<u32>(), 0u32..3, 0u8..3, half_days(), half_days());
    (
        people,
        any::<u64>(),
        proptest::collection::vec(enrolment, 0..80),
    )
        .prop_map(|(people, seed, enrolments)| {
            build(
                World::new().header(),
                data(people, seed, &enrolments),
                &EntraProperties::default(),
            )
        })
}

/// A profile's rules, overrides (of users and of earlier profiles) and current members.
#[derive(Debug, Clone)]
struct Sketch {
    rules: Option<Expr>,
    include: Vec<u32>,
    exclude: Vec<u32>,
    include_profiles: Vec<usize>,
    exclude_profiles: Vec<usize>,
    current: Vec<u32>,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let some =
        || prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(0u32..100, 0..6)];
    let others =
        || prop_oneof![4 => Just(Vec::new()), 1 => proptest::collection::vec(0usize..6, 0..3)];
    (
        proptest::option::weighted(0.9, expr()),
        some(),
        some(),
        others(),
        others(),
        some(),
    )
        .prop_map(
            |(rules, include, exclude, include_profiles, exclude_profiles, current)| Sketch {
                rules,
                include,
                exclude,
                include_profiles,
                exclude_profiles,
                current,
            },
        )
}

fn program(sketches: &[Sketch]) -> Program<'_> {
    let users = |numbers: &[u32]| numbers.iter().copied().map(user).collect();
    Program::compile(sketches.iter().map(|sketch| AudienceInput {
        rules: sketch.rules.as_ref(),
        include: users(&sketch.include),
        exclude: users(&sketch.exclude),
        include_profiles: sketch.include_profiles.clone(),
        exclude_profiles: sketch.exclude_profiles.clone(),
    }))
}

/// Evaluates the same profiles by walking every tree for every user.
fn walked(sketches: &[Sketch], snapshot: &Snapshot) -> Vec<AudienceChange> {
    let people = &snapshot.people;
    let facts = PersonValues::new(
        snapshot,
        slot(),
        sketches.iter().filter_map(|sketch| sketch.rules.as_ref()),
    );
    let mut all: Vec<BTreeSet<u32>> = Vec::new();
    let mut changes = Vec::new();
    for (here, sketch) in sketches.iter().enumerate() {
        let rows = |users: &[u32], profiles: &[usize]| -> BTreeSet<u32> {
            let users = users.iter().filter_map(|number| people.row(user(*number)));
            let named = profiles
                .iter()
                .filter(|place| **place < here)
                .flat_map(|place| all[*place].clone());
            users.chain(named).collect()
        };
        let rules: BTreeSet<u32> = match &sketch.rules {
            Some(rules) => people
                .living
                .iter()
                .filter(|row| facts.holds(rules, *row))
                .collect(),
            None => BTreeSet::new(),
        };
        let exclude = rows(&sketch.exclude, &sketch.exclude_profiles);
        let include = &rows(&sketch.include, &sketch.include_profiles) - &rules;
        let included = &include - &exclude;
        let members = &(&rules - &exclude) | &included;
        let current = current(sketch, snapshot);
        let current: BTreeSet<u32> = current.iter().collect();
        changes.push(AudienceChange {
            members: u32::try_from(members.len()).expect("more than u32::MAX members"),
            unreachable: u32::try_from(
                members
                    .iter()
                    .filter(|row| !people.is_reachable(**row))
                    .count(),
            )
            .expect("more than u32::MAX members"),
            joins: members.difference(&current).copied().collect(),
            leaves: current.difference(&members).copied().collect(),
            included: included.into_iter().collect(),
        });
        all.push(members);
    }
    changes
}

fn current(sketch: &Sketch, snapshot: &Snapshot) -> RowSet {
    let people = &snapshot.people;
    let mut rows = RowSet::new(people.rows());
    // A user without an account is in no group.
    rows.extend(
        sketch
            .current
            .iter()
            .copied()
            .filter(|row| people.is_reachable(*row)),
    );
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    /// Proves S4-074…089 for the engine: for 10,000 random profile sets, engine and walk agree.
    #[test]
    fn the_engine_finds_the_members_that_the_walk_finds(
        snapshot in snapshot(),
        sketches in proptest::collection::vec(sketch(), 1..7),
    ) {
        let current: Vec<RowSet> = sketches.iter().map(|sketch| current(sketch, &snapshot)).collect();
        let references: Vec<Option<&RowSet>> = current.iter().map(Some).collect();
        let found = program(&sketches).evaluate(&snapshot, slot(), &references);
        prop_assert_eq!(found, walked(&sketches, &snapshot));
    }
}
