//! The Excel file of a profile's members (S4-128), written even when the change is held
//! (S4-131), and only when its content changes.

use std::sync::Arc;

use rollcall_clients::objects::members_key;
use rollcall_domain::audience::desired_members::Members;
use rollcall_domain::snapshot::name_order::NameOrder;
use rollcall_domain::snapshot::{Snapshot, Source};
use sha2::{Digest as _, Sha256};

use super::workbook::{COLUMNS, write_in};
use crate::context::RunContext;
use crate::error::MemberListError;

const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Data that the files of one run share, computed on first use.
#[derive(Debug, Default)]
pub(crate) struct Files {
    lines: Option<Vec<u128>>,
    order: Option<Arc<NameOrder>>,
}

/// Writes the file of a profile unless the stored one has the same content.
pub(crate) async fn update(
    context: &mut RunContext<'_>,
    index: usize,
    members: Members,
    files: &mut Files,
) -> Result<(), MemberListError> {
    let lines = files.lines.get_or_insert_with(|| lines(&context.snapshot));
    let digest = digest(lines, &members);
    let entry = &mut context.profiles[index];
    if entry.state.members_digest.as_deref() == Some(digest.as_str()) {
        return Ok(());
    }
    let order = files
        .order
        .get_or_insert_with(|| Arc::new(NameOrder::of(&context.snapshot)));
    let (snapshot, order) = (Arc::clone(&context.snapshot), Arc::clone(order));
    let file = tempfile::NamedTempFile::new()?;
    // Writing a million lines takes seconds. It runs on a separate thread, so that the heartbeat
    // can renew the lease meanwhile.
    let written = tokio::task::spawn_blocking(move || {
        write_in(file.path(), &snapshot, &members, &order).map(|()| file)
    });
    let file = written.await??;
    let key = members_key(context.tenant.id, entry.profile.id);
    context
        .services
        .objects
        .put_file(&key, CONTENT_TYPE, file.path())
        .await?;
    entry.state.members_file = Some(key);
    entry.state.members_digest = Some(digest);
    Ok(())
}

/// Returns a number for each row that represents all its columns in the sheet: equal lines
/// have equal numbers in every snapshot. Each distinct value is hashed only once, which is fast
/// enough for a million rows.
fn lines(snapshot: &Snapshot) -> Vec<u128> {
    let people = &snapshot.people;
    let mut lines: Vec<u128> = (0..people.rows())
        .map(|row| u128::from(people.is_reachable(row)))
        .collect();
    for (_, property, _) in COLUMNS {
        let Some(column) = people.texts.get(&Source::Property(property)) else {
            continue;
        };
        let values: Vec<u128> = std::iter::once(0)
            .chain(
                column
                    .dictionary()
                    .iter()
                    .map(|text| number(text.as_bytes())),
            )
            .collect();
        let mut row = lines.iter_mut();
        column.codes().for_each(|code| {
            if let Some(line) = row.next() {
                *line = line.wrapping_mul(STEP).wrapping_add(values[code as usize]);
            }
        });
    }
    lines
}

/// An arbitrary large odd number. Multiplication by it distinguishes equal values in different
/// columns.
const STEP: u128 = 0x2d99_787f_9c36_63d3_a88d_7b1d_4b5e_f84b;

fn number(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    let head = digest.first_chunk::<16>().copied().unwrap_or_default();
    u128::from_le_bytes(head)
}

/// Returns a digest of the content of the file. The order of lines is not included, since it
/// follows from their content.
fn digest(lines: &[u128], members: &Members) -> String {
    let sum = |rows: &mut dyn Iterator<Item = u32>| {
        rows.fold((0u128, 0u64), |(sum, count), row| {
            // The term is not linear, because the sum must change when two members swap a value.
            let line = lines.get(row as usize).copied().unwrap_or_default();
            (sum.wrapping_add(line.wrapping_mul(line ^ STEP)), count + 1)
        })
    };
    let mut hasher = Sha256::new();
    hasher.update(b"rollcall-members-2");
    let included = members
        .all
        .iter()
        .filter(|row| members.included.contains(*row));
    for (sum, count) in [sum(&mut members.all.iter()), sum(&mut { included })] {
        hasher.update(sum.to_le_bytes());
        hasher.update(count.to_le_bytes());
    }
    hex::encode(&hasher.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::base::rowset::RowSet;
    use rollcall_domain::testing::World;

    fn digest_of(snapshot: &Snapshot, all: &[u32], included: &[u32]) -> String {
        let set = |rows: &[u32]| {
            let mut set = RowSet::new(snapshot.people.rows());
            set.extend(rows.iter().copied());
            set
        };
        let members = Members {
            all: set(all),
            included: set(included),
        };
        digest(&lines(snapshot), &members)
    }

    fn world(city: &str) -> World {
        let mut world = World::new();
        world.person("Ada").with("city", city);
        world.person("Grace").with("city", "Oslo");
        world.person("Alan");
        world
    }

    #[test]
    fn the_digest_changes_with_members_and_with_what_is_shown_of_them() {
        let (denver, dallas) = (world("Denver").snapshot(), world("Dallas").snapshot());
        let mut without = world("Denver");
        without.remove("Alan");
        without.person("Alan").without_entra();
        let ada = denver
            .people
            .row(World::user("Ada"))
            .expect("no row of Ada");
        let others: Vec<u32> = (0..3).filter(|row| *row != ada).collect();
        let first = digest_of(&denver, &[0, 1, 2], &[]);
        assert_eq!(first, digest_of(&denver, &[0, 1, 2], &[]));
        assert_ne!(first, digest_of(&denver, &[0, 1], &[]));
        assert_ne!(
            first,
            digest_of(&denver, &[0, 1, 2], &[1]),
            "the digest ignores the reason"
        );
        assert_ne!(
            first,
            digest_of(&dallas, &[0, 1, 2], &[]),
            "the digest ignores a value"
        );
        assert_ne!(first, digest_of(&without.snapshot(), &[0, 1, 2], &[]));
        assert_eq!(
            digest_of(&denver, &others, &[]),
            digest_of(&dallas, &others, &[]),
            "the digest depends on users who are not members"
        );
    }

    /// Checks that the digest changes when values are swapped between columns or members.
    #[test]
    fn values_are_distinguished_by_column_and_person() {
        let world = |one: [&str; 2], other: [&str; 2]| {
            let mut world = World::new();
            for (name, [city, country]) in [("Ada", one), ("Grace", other)] {
                let person = world.person(name);
                person.with("city", city).with("country", country);
            }
            world.snapshot()
        };
        let first = world(["Oslo", "Norway"], ["Denver", "USA"]);
        for second in [
            world(["Norway", "Oslo"], ["Denver", "USA"]),
            world(["Denver", "Norway"], ["Oslo", "USA"]),
            world(["Oslo", "USA"], ["Denver", "Norway"]),
        ] {
            let all = |snapshot: &Snapshot| digest_of(snapshot, &[0, 1], &[]);
            assert_ne!(all(&first), all(&second));
        }
    }
}
