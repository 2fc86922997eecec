//! What is written is read; what is damaged, forged or newer is refused by name.

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
    encode(&sample()).expect("encodes")
}

/// The file's directory.
fn directory(file: &[u8]) -> SectionTable {
    SectionTable::read(file).expect("a directory")
}

/// The file with its directory changed and everything around it as it should be.
fn with_directory(file: &[u8], change: impl FnOnce(&mut SectionTable)) -> Vec<u8> {
    let mut directory = directory(file);
    let last = directory.columns.last().expect("columns");
    let blocks = usize::try_from(last.offset + last.stored).expect("fits");
    change(&mut directory);
    let mut forged = file[..blocks].to_vec();
    forged.extend(directory.to_bytes().expect("serialises"));
    forged
}

/// The file with what a column holds changed, checksums and lengths right.
fn with_column(file: &[u8], name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut directory = directory(file);
    let mut forged = file[..8].to_vec();
    let mut change = Some(change);
    for column in &mut directory.columns {
        let (from, length) = (
            usize::try_from(column.offset).expect("fits"),
            usize::try_from(column.stored).expect("fits"),
        );
        let mut stored = file[from..from + length].to_vec();
        if column.name == name {
            let mut raw = zstd::bulk::decompress(&stored, 1 << 20).expect("decompresses");
            change.take().expect("one column of the name")(&mut raw);
            stored = zstd::bulk::compress(&raw, 3).expect("compresses");
            column.raw = raw.len() as u64;
        }
        column.offset = forged.len() as u64;
        column.stored = stored.len() as u64;
        column.xxh3 = checksum(&stored);
        forged.extend(stored);
    }
    assert!(change.is_none(), "there is no column {name}");
    forged.extend(directory.to_bytes().expect("serialises"));
    forged
}

fn refused(file: &[u8]) -> String {
    decode(file).expect_err("refused").to_string()
}

#[test]
fn what_is_written_is_read() {
    let snapshot = sample();
    assert_eq!(decode(&encoded()).expect("decodes"), snapshot);
}

#[test]
fn enrolments_a_reader_would_not_unfold_are_not_written() {
    let snapshot = sample();
    let course = &snapshot.enrolments.iter().next().expect("a course").1;
    let rows = snapshot.people.rows();
    let plain = [&course.enrolled, &course.in_progress, &course.late];
    let plain = plain.map(|set| crate::snapshot::Postings::bytes(set.len(), rows));
    let dated = [&course.completed, &course.open].map(|set| set.len() as u64 * 8);
    let limit = plain.iter().chain(&dated).sum::<u64>();
    let mut file = Vec::new();
    encode_within(&snapshot, &mut file, limit).expect("just fits");
    assert_eq!(file, encoded());
    file.clear();
    let error = encode_within(&snapshot, &mut file, limit - 1).expect_err("too large");
    assert!(error.to_string().contains("enrolments take"), "{error}");
    assert!(file.is_empty(), "nothing is written before the check");
}

#[test]
fn single_columns_are_read_without_the_others() {
    let (snapshot, bytes) = (sample(), encoded());
    let reader = SnapshotReader::open(&bytes).expect("opens");
    let identity = reader.identity().expect("reads");
    assert_eq!(identity.ids, snapshot.people.ids);
    assert_eq!(identity.object_ids, snapshot.people.object_ids);
    assert_eq!(identity.living, snapshot.people.living);
    assert_eq!(identity.changed_in, snapshot.people.changed_in);
    assert_eq!(identity.lineage, snapshot.people.lineage);
    for (source, column) in &snapshot.people.texts {
        assert_eq!(reader.text(source).expect("reads").as_ref(), Some(column));
    }
    let unknown = Source::Entra("shoeSize".to_owned());
    assert_eq!(reader.text(&unknown).expect("reads"), None);
    assert_eq!(reader.enrolments().expect("reads"), snapshot.enrolments);
}

#[test]
fn every_damaged_byte_is_noticed_and_the_column_named() {
    let bytes = encoded();
    let columns = directory(&bytes).columns;
    let (json_end, json) = (bytes.len() - 18, columns.last().expect("columns"));
    let json_start = json.offset + json.stored;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let error = decode(&damaged).expect_err("damaged");
        let place = at as u64;
        let holds =
            |column: &&Column| (column.offset..column.offset + column.stored).contains(&place);
        match columns.iter().find(holds) {
            Some(column) => assert!(
                matches!(&error, DecodeError::Damaged { column: named } if *named == column.name),
                "byte {at} of {}: {error}",
                column.name
            ),
            None if place >= json_start && at < json_end => {
                assert!(matches!(error, DecodeError::DirectoryChecksum), "byte {at}");
            }
            None => {}
        }
    }
}

#[test]
fn a_cut_file_is_noticed_wherever_it_is_cut() {
    let bytes = encoded();
    for length in 0..bytes.len() {
        let error = decode(&bytes[..length]).expect_err("cut");
        let told = matches!(error, DecodeError::Cut | DecodeError::NotASnapshot);
        assert!(told, "cut to {length}: {error}");
    }
}

#[test]
fn another_version_is_refused_by_name() {
    let mut bytes = encoded();
    for (version, name) in [(1, "1"), (9, "9")] {
        bytes[6] = version;
        let expected =
            format!("the snapshot has format version {name}, this program reads version 2");
        assert_eq!(refused(&bytes), expected);
    }
}

#[test]
fn an_unknown_column_is_skipped_only_if_it_says_so() {
    let newer = |required| {
        with_directory(&encoded(), |directory| {
            let platform = directory.columns.last_mut().expect("columns");
            // A column of no bytes, so that those of the file need not move.
            let at = platform.offset + platform.stored;
            directory.columns.push(Column {
                name: "people.shoe_size".to_owned(),
                encoding: "furlongs".to_owned(),
                entries: 2,
                offset: at,
                stored: 0,
                raw: 0,
                xxh3: checksum(&[]),
                required,
            });
        })
    };
    assert_eq!(decode(&newer(false)).expect("decodes"), sample());
    assert_eq!(
        refused(&newer(true)),
        "the snapshot needs a newer program: it does not know column people.shoe_size"
    );
}

#[test]
fn fields_of_the_directory_nobody_knows_are_skipped() {
    let bytes = encoded();
    let whole = directory(&bytes).to_bytes().expect("serialises");
    let blocks = &bytes[..bytes.len() - whole.len()];
    let json = std::str::from_utf8(&whole[..whole.len() - 18]).expect("UTF-8");
    let json = json.replacen('{', "{\"weather\":{\"rain\":[1,2]},", 1);
    let mut newer = blocks.to_vec();
    newer.extend_from_slice(json.as_bytes());
    newer.extend(u32::try_from(json.len()).expect("fits").to_le_bytes());
    newer.extend(twox_hash::XxHash3_64::oneshot(json.as_bytes()).to_le_bytes());
    newer.extend_from_slice(b"RCSNAP");
    assert_eq!(decode(&newer).expect("decodes"), sample());
}

#[test]
fn a_known_column_written_in_an_unknown_way_is_refused_by_name() {
    let newer = with_directory(&encoded(), |directory| {
        let city = "text:city";
        let column = directory.columns.iter_mut().find(|it| it.name == city);
        column.expect("a column").encoding = "texts-2".to_owned();
    });
    assert_eq!(
        refused(&newer),
        "the snapshot needs a newer program: column text:city is encoded as \"texts-2\", known is \"texts\""
    );
}

#[test]
fn a_directory_that_lies_is_refused() {
    type Change = fn(&mut SectionTable);
    let cases: [(&str, Change); 9] = [
        ("people.changed_in is missing", |it| {
            it.columns[3].name = "people.changed_at".to_owned();
            it.columns[3].required = false;
        }),
        ("text:city is there twice", |it| {
            it.columns[5].name = "text:city".to_owned();
        }),
        ("people.living does not begin where", |it| {
            it.columns[2].offset += 1;
        }),
        ("people.changed_in does not begin where", |it| {
            it.columns[2].stored += 1;
        }),
        ("do not fill the file", |it| {
            it.columns.pop();
        }),
        ("people.ids declares more than", |it| {
            it.columns[0].raw = 1 << 40;
        }),
        ("too large: column people.ids", |it| {
            it.columns[0].stored = 1 << 40;
            it.columns[0].raw = MAX_DECODED + 1;
        }),
        ("too large: it has 4294967295 rows", |it| it.rows = u32::MAX),
        ("people.changed_in of the snapshot is wrong", |it| {
            it.rows = 3;
        }),
    ];
    for (expected, change) in cases {
        let error = refused(&with_directory(&encoded(), change));
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_length_that_was_forged_is_refused_before_it_is_believed() {
    for raw in [0, 1, 31, 33, 100_000] {
        let forged = with_directory(&encoded(), |it| it.columns[0].raw = raw);
        assert!(refused(&forged).contains("people.ids"), "{raw}");
    }
}

#[test]
fn content_that_contradicts_itself_is_refused_by_column() {
    type Change = fn(&mut Vec<u8>);
    let cases: [(&str, Change); 17] = [
        ("people.ids", |raw| raw.truncate(16)),
        ("people.ids", |raw| raw.copy_within(..16, 16)),
        ("people.object_ids", |raw| raw[0] = 3),
        ("people.object_ids", |raw| raw[0] = 4),
        ("people.living", |raw| raw[0] |= 4),
        ("people.changed_in", |raw| raw.push(0)),
        ("text:city", |raw| raw[0] += 1),
        ("text:city", |raw| *raw.last_mut().expect("codes") = 3),
        ("text:city", |raw| raw[9] = 3),
        ("text:city", |raw| raw[13] = 0xff),
        ("date:custom", |raw| *raw.last_mut().expect("codes") = 2),
        ("enrolments.courses", |raw| raw[16] = 200),
        ("enrolments.courses", |raw| {
            *raw.last_mut().expect("widths") = 3;
        }),
        ("enrolments.gaps8", |raw| raw[1] = 5),
        ("enrolments.gaps8", |raw| raw[0] = 255),
        ("enrolments.status", |raw| raw[0] ^= 1),
        ("enrolments.due_at", |raw| raw.fill(0)),
    ];
    let bytes = encoded();
    for (case, (name, change)) in cases.into_iter().enumerate() {
        let columns = directory(&bytes).columns;
        let found = columns.iter().find(|column| column.name.starts_with(name));
        let name = &found.expect("a column").name;
        let error = decode(&with_column(&bytes, name, change)).expect_err("refused");
        assert_eq!(error.column(), Some(name.as_str()), "case {case}: {error}");
    }
}

#[test]
fn unknown_bits_and_rows_too_many_are_refused() {
    let bytes = encoded();
    let unknown = with_column(&bytes, "enrolments.status", |raw| raw[0] |= 0x10);
    assert!(refused(&unknown).contains("unknown bits"));
    for name in ["enrolments.gaps8", "enrolments.status"] {
        let longer = with_column(&bytes, name, |raw| raw.push(0));
        assert!(
            refused(&longer).contains("more than the courses need"),
            "{name}"
        );
        let shorter = with_column(&bytes, name, |raw| raw.truncate(1));
        assert!(
            refused(&shorter).contains("less than the courses need"),
            "{name}"
        );
    }
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
            let column = column.expect("a column");
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
    let bytes = encode(&snapshot).expect("encodes");
    assert_eq!(decode(&bytes).expect("decodes"), snapshot);
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

/// A random tenant, some refreshes old: rows out of order, some of them empty.
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
        let shift = usize::try_from(seed % u64::from(rows)).expect("fits");
        people.ids.rotate_left(shift);
    }
    for row in 0..rows {
        people.changed_in[row as usize] = u32::try_from(seed >> (row % 60) & 7).expect("fits");
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
        let bytes = encode(&snapshot).expect("encodes");
        prop_assert_eq!(decode(&bytes).expect("decodes"), snapshot);
    }

    #[test]
    fn bytes_changed_anywhere_are_an_error(snapshot in random(), at: prop::sample::Index, by in 1..=255u8) {
        let mut bytes = encode(&snapshot).expect("encodes");
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(decode(&bytes).is_err());
    }
}

#[test]
fn an_empty_tenant_is_one() {
    let snapshot = World::new().snapshot();
    let bytes = encode(&snapshot).expect("encodes");
    assert_eq!(decode(&bytes).expect("decodes"), snapshot);
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
            let from = usize::try_from(column.offset).expect("fits");
            let stored = &file[from..from + usize::try_from(column.stored).expect("fits")];
            let raw = zstd::bulk::decompress(stored, 1 << 20).expect("decompresses");
            write!(out, "\n# {} as {}\n", column.name, column.encoding).expect("writes");
            dump(&mut out, from, stored);
            out.push_str("# decompressed\n");
            if column.encoding == "json" {
                out.push_str(std::str::from_utf8(&raw).expect("UTF-8"));
                out.push('\n');
            } else {
                dump(&mut out, 0, &raw);
            }
        }
        let end = directory.to_bytes().expect("serialises");
        let (json, trailer) = end.split_at(end.len() - 18);
        out.push_str("\n# directory; line breaks added here\n");
        let json = std::str::from_utf8(json).expect("UTF-8");
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
            writeln!(out, "{from:06x}  {:47}  {text}", hex.join(" ")).expect("writes");
        }
    }
}
