//! Tests which rows are taken over from the previous snapshot.

use super::*;

fn crowd(numbers: impl Iterator<Item = u128>) -> LmsData {
    let user = |number| UserRow {
        id: Some(user_id(number)),
        login_name: "i:0#.f|membership|x".to_owned(),
        ..UserRow::default()
    };
    LmsData {
        users: numbers.map(user).collect(),
        ..LmsData::default()
    }
}

#[test]
fn too_many_empty_rows_begin_a_new_lineage_and_few_do_not() {
    let mut chain = Chain::new();
    chain.refresh(crowd(0..5_000));
    let (_, snapshot) = chain.refresh(crowd(1_000..5_000));
    assert_eq!(
        snapshot.people.lineage.step, 1,
        "rows renumbered with 1,000 empty"
    );
    assert_eq!(
        (snapshot.people.rows(), snapshot.people.count()),
        (5_000, 4_000)
    );
    let (_, snapshot) = chain.refresh(crowd(1_250..5_000));
    assert_eq!(
        snapshot.people.lineage.step, 2,
        "rows renumbered with a quarter empty"
    );
    let (_, snapshot) = chain.refresh(crowd(1_251..5_000));
    assert_eq!(
        snapshot.people.lineage,
        Lineage::begin(snapshot.header.id.clone())
    );
    assert_eq!(
        (snapshot.people.rows(), snapshot.people.count()),
        (3_749, 3_749)
    );
    assert!(snapshot.people.changed_in.iter().all(|step| *step == 0));
}

/// A damaged previous snapshot.
struct Damaged<'a> {
    snapshot: &'a Snapshot,
    identity: bool,
}

impl Previous for Damaged<'_> {
    type Error = &'static str;

    fn identity(&self) -> Result<Identity, Self::Error> {
        if self.identity {
            return Err("no identity");
        }
        self.snapshot.identity().map_err(|_| "never")
    }

    fn sources(&self) -> Vec<Source> {
        self.snapshot.sources()
    }

    fn text(&self, source: &Source) -> Result<Option<TextColumn>, Self::Error> {
        match source {
            Source::Property(Property::City) => Err("no city"),
            other => self.snapshot.text(other).map_err(|_| "never"),
        }
    }

    fn enrolments(&self) -> Result<Enrolments, Self::Error> {
        Ok(self.snapshot.enrolments.clone())
    }
}

#[test]
fn a_damaged_snapshot_before_costs_precision_and_nothing_else() {
    let mut world = World::new();
    world.person("Ada").person("Grace");
    let before = world.snapshot();
    let refreshed = |identity| {
        let sets = Sets::of(world.data()).expect("data rejected as too large");
        let damaged = Damaged {
            snapshot: &before,
            identity,
        };
        sets.into_snapshot(world.header(), EntraSet::default(), Some(&damaged))
    };
    let column = refreshed(false);
    assert_eq!(column.unread, Some("no city"));
    assert_eq!(column.snapshot.people.lineage.step, 1);
    assert_eq!(column.snapshot.people.changed_in, [1, 1]);
    let identity = refreshed(true);
    assert_eq!(identity.unread, Some("no identity"));
    assert_eq!(identity.snapshot, before);
}
