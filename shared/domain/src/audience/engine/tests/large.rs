//! Shared predicates, large dictionaries and deep trees.

use super::*;

#[test]
fn equal_tests_are_made_once() {
    let city = |text: &str| {
        Expr::Leaf(Leaf::Text(
            Source::Property(Property::City),
            TextPredicate::Equals(text.to_owned()),
        ))
    };
    let (a, b) = (
        Expr::All(vec![city("oslo"), city("denver")]),
        Expr::Not(Box::new(city("oslo"))),
    );
    let of = |rules| AudienceInput {
        rules: Some(rules),
        ..AudienceInput::default()
    };
    assert_eq!(
        Program::compile([of(&a), of(&b), of(&a)]).distinct_tests(),
        2
    );
}

/// Tests columns of more than 65,536 distinct values and lists of more than 100,000 values.
#[test]
fn large_dictionaries_and_long_lists_work() {
    let people = 70_000u32;
    let users = (0..people).map(|number| UserRow {
        id: Some(user(number)),
        email: Some(format!("Person.{number}@contoso.example")),
        ..UserRow::default()
    });
    let data = LmsData {
        users: users.collect(),
        ..LmsData::default()
    };
    let snapshot = build(World::new().header(), data, &EntraProperties::default());
    let email = |test| Expr::Leaf(Leaf::Text(Source::Property(Property::Email), test));
    let listed = (0..120_000u32)
        .filter(|number| number % 3 == 0)
        .map(|number| format!("person.{number}@contoso.example"));
    let strangers = (0..100_000u32).map(|number| format!("nobody.{number}@contoso.example"));
    let list = email(TextPredicate::In(listed.chain(strangers).collect()));
    let odd = email(TextPredicate::EndsWith("1@contoso.example".to_owned()));
    let exprs = [
        list.clone(),
        odd.clone(),
        Expr::All(vec![list, Expr::Not(Box::new(odd))]),
    ];
    let members = exprs.iter().map(|rules| AudienceInput {
        rules: Some(rules),
        ..AudienceInput::default()
    });
    let counts: Vec<u32> = Program::compile(members)
        .evaluate(&snapshot, slot(), &[])
        .iter()
        .map(|change| change.members)
        .collect();
    let facts = PersonValues::new(&snapshot, slot(), &exprs);
    let expected: Vec<u32> = exprs
        .iter()
        .map(|rules| {
            u32::try_from((0..people).filter(|row| facts.holds(rules, *row)).count())
                .expect("more than u32::MAX rows")
        })
        .collect();
    assert_eq!(counts, expected);
    assert_eq!(counts[0], people.div_ceil(3));
}

/// Tests a tree of 40 levels, more than a rule may have.
#[test]
fn deep_trees_keep_their_meaning() {
    let city = |text: &str| {
        Expr::Leaf(Leaf::Text(
            Source::Property(Property::City),
            TextPredicate::Equals(text.to_owned()),
        ))
    };
    let mut tree = city("denver");
    for level in 0..40 {
        let parts = vec![
            tree,
            Expr::Not(Box::new(city(FOLDED[level % FOLDED.len()]))),
        ];
        tree = if level % 2 == 0 {
            Expr::Any(parts)
        } else {
            Expr::Not(Box::new(Expr::All(parts)))
        };
    }
    let snapshot = build(
        World::new().header(),
        data(80, 7, &[]),
        &EntraProperties::default(),
    );
    let facts = PersonValues::new(&snapshot, slot(), [&tree]);
    let expected: Vec<u32> = snapshot
        .people
        .living
        .iter()
        .filter(|row| facts.holds(&tree, *row))
        .collect();
    let found = Program::compile([AudienceInput {
        rules: Some(&tree),
        ..AudienceInput::default()
    }])
    .evaluate(&snapshot, slot(), &[]);
    assert_eq!(found[0].joins, expected);
}
