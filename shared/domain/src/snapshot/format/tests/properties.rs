//! Random tenants are read back as written, and changed bytes are detected.

use super::*;

/// A random tenant after several refreshes: rows out of order, some of them empty.
fn random() -> impl Strategy<Value = Snapshot> {
    let users = prop::collection::vec(any::<u8>(), 0..300);
    let enrolments = prop::collection::vec((0..300u32, 0..6u8, any::<u8>()), 0..600);
    (users, enrolments, any::<u64>()).prop_map(|(users, enrolments, seed)| {
        let hired = FieldRow {
            id: FieldId::new(World::field_id("Hire date").uuid()),
            title: "Hire date".to_owned(),
            kind: FieldKind::Date,
            predefined: false,
        };
        let data = LmsData {
            users: (0u32..).zip(&users).map(|(n, v)| user(n, *v)).collect(),
            enrolments: enrolments
                .into_iter()
                .map(|(user, course, how)| enrolment(user, course, how))
                .collect(),
            fields: vec![hired],
            ..LmsData::default()
        };
        let mut snapshot = build(World::new().header(), data, &EntraProperties::default());
        age(&mut snapshot, seed);
        snapshot
    })
}

fn age(snapshot: &mut Snapshot, seed: u64) {
    let people = &mut snapshot.people;
    let rows = people.rows();
    people.lineage = Lineage {
        first: people.lineage.first.clone(),
        step: 7,
    };
    if rows > 0 {
        let shift = usize::try_from(seed % u64::from(rows)).expect("row out of range");
        people.ids.rotate_left(shift);
    }
    for row in 0..rows {
        people.changed_in[row as usize] =
            u32::try_from(seed >> (row % 60) & 7).expect("step out of range");
        if seed >> (row % 64) & 3 == 3 {
            people.living.remove(row);
        }
    }
    people.by_id.sort_by_key(|row| people.ids[*row as usize]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tenant_is_read_as_it_was_written(snapshot in random()) {
        let bytes = encode(&snapshot).expect("snapshot not encoded");
        prop_assert_eq!(decode(&bytes).expect("snapshot not decoded"), snapshot);
    }

    #[test]
    fn bytes_changed_anywhere_are_an_error(snapshot in random(), at: prop::sample::Index, by in 1..=255u8) {
        let mut bytes = encode(&snapshot).expect("snapshot not encoded");
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(decode(&bytes).is_err());
    }
}
