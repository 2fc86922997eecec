//! Written files are read back; damaged, forged and newer files are rejected with the cause named.

mod damage;
mod properties;

use proptest::prelude::*;

use super::section_table::{Column, SectionTable, checksum};
use super::*;
use crate::base::ids::{CourseId, FieldId, ObjectId, UserId};
use crate::snapshot::ingest::{EntraProperties, build};
use crate::snapshot::lms::{EnrolmentRow, FieldKind, FieldRow, LmsData, Progress, UserRow};
use crate::snapshot::{Lineage, Property, Source};
use crate::testing::World;
use uuid::Uuid;

/// A small tenant that uses every column.
fn sample() -> Snapshot {
    let mut world = World::new();
    world.field("Hire date", FieldKind::Date);
    world
        .person("Ada")
        .with("city", "Denver")
        .custom("Hire date", "2020-02-01");
    world.person("Grace").with("city", "Zürich").without_entra();
    world.lms_group("c:0t.c|tenant|x");
    world.course("Security 101");
    world.completed("Ada", "Security 101", "2026-01-01");
    world.enrol(
        "Grace",
        "Security 101",
        Progress::InProgress,
        None,
        Some("2026-03-01"),
    );
    world.snapshot()
}

fn encoded() -> Vec<u8> {
    encode(&sample()).expect("snapshot not encoded")
}

/// Returns the file's directory.
fn directory(file: &[u8]) -> SectionTable {
    SectionTable::read(file).expect("directory not read")
}

/// Returns the file with a changed directory and a valid trailer.
fn with_directory(file: &[u8], change: impl FnOnce(&mut SectionTable)) -> Vec<u8> {
    let mut directory = directory(file);
    let last = directory.columns.last().expect("no columns");
    let blocks = usize::try_from(last.offset + last.stored).expect("size out of range");
    change(&mut directory);
    let mut forged = file[..blocks].to_vec();
    forged.extend(directory.to_bytes().expect("directory not serialized"));
    forged
}

/// Returns the file with changed content of one column and valid checksums and lengths.
fn with_column(file: &[u8], name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut directory = directory(file);
    let mut forged = file[..8].to_vec();
    let mut change = Some(change);
    for column in &mut directory.columns {
        let (from, length) = (
            usize::try_from(column.offset).expect("size out of range"),
            usize::try_from(column.stored).expect("size out of range"),
        );
        let mut stored = file[from..from + length].to_vec();
        if column.name == name {
            let mut raw =
                zstd::bulk::decompress(&stored, 1 << 20).expect("column not decompressed");
            change.take().expect("column name not unique")(&mut raw);
            stored = zstd::bulk::compress(&raw, 3).expect("column not compressed");
            column.raw = raw.len() as u64;
        }
        column.offset = forged.len() as u64;
        column.stored = stored.len() as u64;
        column.xxh3 = checksum(&stored);
        forged.extend(stored);
    }
    assert!(change.is_none(), "column {name} not found");
    forged.extend(directory.to_bytes().expect("directory not serialized"));
    forged
}

fn refused(file: &[u8]) -> String {
    decode(file).expect_err("invalid file decoded").to_string()
}

#[test]
fn what_is_written_is_read() {
    let snapshot = sample();
    assert_eq!(decode(&encoded()).expect("snapshot not decoded"), snapshot);
}

#[test]
fn enrolments_a_reader_would_not_unfold_are_not_written() {
    let snapshot = sample();
    let course = &snapshot.enrolments.iter().next().expect("no course").1;
    let rows = snapshot.people.rows();
    let plain = [&course.enrolled, &course.in_progress, &course.late];
    let plain = plain.map(|set| crate::snapshot::Postings::bytes(set.len(), rows));
    let dated = [&course.completed, &course.open].map(|set| set.len() as u64 * 8);
    let limit = plain.iter().chain(&dated).sum::<u64>();
    let mut file = Vec::new();
    encode_within(&snapshot, &mut file, limit).expect("rejected at the limit");
    assert_eq!(file, encoded());
    file.clear();
    let error =
        encode_within(&snapshot, &mut file, limit - 1).expect_err("accepted above the limit");
    assert!(error.to_string().contains("enrolments take"), "{error}");
    assert!(file.is_empty(), "bytes were written before the check");
}

#[test]
fn single_columns_are_read_without_the_others() {
    let (snapshot, bytes) = (sample(), encoded());
    let reader = SnapshotReader::open(&bytes).expect("file not opened");
    let identity = reader.identity().expect("identity not read");
    assert_eq!(identity.ids, snapshot.people.ids);
    assert_eq!(identity.object_ids, snapshot.people.object_ids);
    assert_eq!(identity.living, snapshot.people.living);
    assert_eq!(identity.changed_in, snapshot.people.changed_in);
    assert_eq!(identity.lineage, snapshot.people.lineage);
    for (source, column) in &snapshot.people.texts {
        assert_eq!(
            reader.text(source).expect("texts not read").as_ref(),
            Some(column)
        );
    }
    let unknown = Source::Entra("shoeSize".to_owned());
    assert_eq!(reader.text(&unknown).expect("texts not read"), None);
    assert_eq!(
        reader.enrolments().expect("enrolments not read"),
        snapshot.enrolments
    );
}

#[test]
fn what_contradicts_itself_is_not_written() {
    let mut snapshot = sample();
    snapshot.people.changed_in.pop();
    assert!(encode(&snapshot).is_err());
    let mut snapshot = sample();
    snapshot.people.dates.clear();
    assert!(encode(&snapshot).is_err());
}

#[test]
fn a_column_that_the_fields_promise_must_be_there() {
    let bytes = encoded();
    for kind in ["text:city", "text:custom:", "date:custom:"] {
        let mut gone = String::new();
        let forged = with_directory(&bytes, |directory| {
            let mut columns = directory.columns.iter_mut();
            let column = columns.find(|column| column.name.starts_with(kind));
            let column = column.expect("column not found");
            gone = std::mem::replace(&mut column.name, "people.shoe_size".to_owned());
            column.required = false;
        });
        let expected = format!("the snapshot is incomplete: column {gone} is missing");
        assert_eq!(refused(&forged), expected);
    }
}

#[test]
fn rows_far_apart_take_two_bytes_and_more_than_two() {
    let rows = 200_000;
    let mut data = LmsData {
        users: (0..rows).map(|n| user(n, 0)).collect(),
        ..LmsData::default()
    };
    for (course, step) in [(1, 70_000), (2, 300), (3, 7), (4, 199_999)] {
        data.enrolments
            .extend((0..rows).step_by(step).map(|n| enrolment(n, course, 0)));
    }
    let snapshot = build(World::new().header(), data, &EntraProperties::default());
    let bytes = encode(&snapshot).expect("snapshot not encoded");
    assert_eq!(decode(&bytes).expect("snapshot not decoded"), snapshot);
}

#[test]
fn an_empty_tenant_is_one() {
    let snapshot = World::new().snapshot();
    let bytes = encode(&snapshot).expect("snapshot not encoded");
    assert_eq!(decode(&bytes).expect("snapshot not decoded"), snapshot);
    assert!(Property::ALL.iter().all(|property| {
        snapshot
            .people
            .texts
            .contains_key(&Source::Property(*property))
    }));
}

/// The example of `docs/snapshot-format.md`.
mod example {
    use std::fmt::Write as _;

    use super::*;

    const DOCUMENT: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/snapshot-format.md"
    ));

    #[test]
    fn the_documented_file_is_the_one_that_is_written() {
        let found = DOCUMENT
            .split_once("```text example\n")
            .and_then(|(_, rest)| rest.split_once("```"))
            .map(|(example, _)| example);
        let expected = listing(&encoded());
        assert_eq!(
            found,
            Some(expected.as_str()),
            "the example of docs/snapshot-format.md should be:\n{expected}"
        );
    }

    fn listing(file: &[u8]) -> String {
        let directory = directory(file);
        let mut out = String::from("# magic, version 2\n");
        dump(&mut out, 0, &file[..8]);
        for column in &directory.columns {
            let from = usize::try_from(column.offset).expect("size out of range");
            let stored =
                &file[from..from + usize::try_from(column.stored).expect("size out of range")];
            let raw = zstd::bulk::decompress(stored, 1 << 20).expect("column not decompressed");
            write!(out, "\n# {} as {}\n", column.name, column.encoding).expect("text not written");
            dump(&mut out, from, stored);
            out.push_str("# decompressed\n");
            if column.encoding == "json" {
                out.push_str(std::str::from_utf8(&raw).expect("column is not UTF-8"));
                out.push('\n');
            } else {
                dump(&mut out, 0, &raw);
            }
        }
        let end = directory.to_bytes().expect("directory not serialized");
        let (json, trailer) = end.split_at(end.len() - 18);
        out.push_str("\n# directory; line breaks added here\n");
        let json = std::str::from_utf8(json).expect("directory is not UTF-8");
        out.push_str(&json.replace("{\"name\"", "\n{\"name\""));
        out.push_str("\n\n# length and checksum of the directory, magic\n");
        dump(&mut out, file.len() - 18, trailer);
        out
    }

    fn dump(out: &mut String, at: usize, bytes: &[u8]) {
        for (line, from) in bytes.chunks(16).zip((at..).step_by(16)) {
            let hex: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let text: String = line
                .iter()
                .map(|byte| match byte {
                    0x20..=0x7e => char::from(*byte),
                    _ => '.',
                })
                .collect();
            writeln!(out, "{from:06x}  {:47}  {text}", hex.join(" ")).expect("text not written");
        }
    }
}

fn user(n: u32, values: u8) -> UserRow {
    UserRow {
        id: Some(UserId::new(Uuid::from_u128(u128::from(n) + 1))),
        title: format!("Person {n}"),
        object_id: (values & 1 == 0).then(|| ObjectId::new(Uuid::from_u128(u128::from(n) << 64))),
        city: (values & 2 == 2).then(|| format!("City {}", values % 5)),
        custom: vec![(
            World::field_id("Hire date"),
            format!("20{:02}-01-01", values % 20),
        )],
        ..UserRow::default()
    }
}

fn enrolment(user: u32, course: u8, how: u8) -> EnrolmentRow {
    let moment =
        crate::testing::day("2026-01-01") + chrono::TimeDelta::seconds(i64::from(how) * 7_919);
    let progress = match how % 3 {
        0 => Progress::Completed,
        1 => Progress::InProgress,
        _ => Progress::NotStarted,
    };
    EnrolmentRow {
        course: CourseId::new(Uuid::from_u128(u128::from(course) << 100)),
        user: UserId::new(Uuid::from_u128(u128::from(user) + 1)),
        progress,
        completed_at: (progress == Progress::Completed && how != 21).then_some(moment),
        due_at: how
            .is_multiple_of(2)
            .then(|| crate::testing::day("2026-01-05")),
    }
}
