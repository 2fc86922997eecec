//! Fuzzes forged snapshots: every checksum is valid, but the content is not.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rollcall_domain::snapshot::lms::{FieldKind, Progress};
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::snapshot::describe::describe;
use rollcall_domain::snapshot::format::{SnapshotReader, decode, encode};
use rollcall_domain::testing::World;
use serde_json::Value;
use twox_hash::XxHash3_64;

/// Length, checksum and magic number after the directory.
const TRAILER: usize = 18;

/// The changes to a snapshot.
#[derive(Debug, Arbitrary)]
struct Forgery {
    contents: Vec<(u8, Content)>,
    corruptions: Vec<(u8, Corruption)>,
    /// Bytes of the directory that are changed last.
    letters: Vec<(u16, u8)>,
}

/// A change to the content of a column.
#[derive(Debug, Arbitrary)]
enum Content {
    Byte { at: u16, value: u8 },
    Insert { at: u16, bytes: Vec<u8> },
    Cut { at: u16 },
    Frame { bytes: Vec<u8> },
}

/// A change to the directory.
#[derive(Debug, Arbitrary)]
enum Corruption {
    Rows(u32),
    Enrolments(u64),
    Entries(u64),
    Raw(u64),
    Offset(u64),
    NameOf(u8),
    EncodingOf(u8),
    Optional,
}

/// One column of a valid snapshot.
#[derive(Clone)]
struct Column {
    raw: Vec<u8>,
    stored: Vec<u8>,
}

/// A valid snapshot: its columns and its directory.
static REAL: LazyLock<(Vec<Column>, Value)> = LazyLock::new(real);

fn real() -> (Vec<Column>, Value) {
    let mut world = World::new();
    world.field("Hire date", FieldKind::Date);
    world.lms_group("c:0t.c|tenant|x");
    let days = ["2020-02-01", "2024-05-06", "2024-05-06T07:08:09Z", "soon"];
    for course in ["One", "Two", "Three"] {
        world.course(course);
    }
    for n in 0..70 {
        let name = format!("Person {n}");
        let person = world
            .person(&name)
            .with("city", ["Denver", "Zürich"][n % 2]);
        let person = person.custom("Hire date", days[n % 4]);
        if n % 5 == 0 {
            person.without_entra();
        }
        let (done, due) = (Some("2026-01-01"), Some("2026-03-01"));
        world.enrol(&name, "One", Progress::Completed, done, due);
        if n % 3 == 0 {
            world.enrol(&name, "Two", Progress::InProgress, None, due);
        }
        if n % 30 == 0 {
            world.enrol(&name, "Three", Progress::NotStarted, None, None);
        }
    }
    let file = encode(&world.snapshot()).expect("encodes");
    let json_end = file.len() - TRAILER;
    let length = u32::from_le_bytes(file[json_end..json_end + 4].try_into().expect("four bytes"));
    let json = &file[json_end - length as usize..json_end];
    let directory: Value = serde_json::from_slice(json).expect("JSON");
    let columns = directory["columns"].as_array().expect("a list").iter();
    let number = |column: &Value, name: &str| column[name].as_u64().expect("a number") as usize;
    let columns = columns.map(|column| {
        let from = number(column, "offset");
        let stored = file[from..from + number(column, "stored")].to_vec();
        let raw = zstd::bulk::decompress(&stored, number(column, "raw")).expect("decompresses");
        Column { raw, stored }
    });
    (columns.collect(), directory)
}

fn forge(forgery: Forgery) -> Vec<u8> {
    let (mut contents, mut directory) = REAL.clone();
    for (column, change) in forgery.contents {
        let column = usize::from(column) % contents.len();
        change.make(&mut contents[column]);
    }
    let mut file = b"RCSNAP\x02\x00".to_vec();
    for (Column { raw, stored }, column) in contents.iter().zip(columns(&mut directory)) {
        column["offset"] = file.len().into();
        column["stored"] = stored.len().into();
        column["raw"] = raw.len().into();
        column["xxh3"] = format!("{:016x}", XxHash3_64::oneshot(stored)).into();
        file.extend(stored);
    }
    for (column, corruption) in forgery.corruptions {
        corruption.apply(&mut directory, usize::from(column) % contents.len());
    }
    let mut json = serde_json::to_vec(&directory).expect("serialises");
    for (at, letter) in forgery.letters {
        let at = usize::from(at) % json.len();
        json[at] = letter;
    }
    file.extend(&json);
    file.extend((json.len() as u32).to_le_bytes());
    file.extend(XxHash3_64::oneshot(&json).to_le_bytes());
    file.extend(b"RCSNAP");
    file
}

fn columns(directory: &mut Value) -> &mut Vec<Value> {
    directory["columns"].as_array_mut().expect("a list")
}

impl Content {
    fn make(self, column: &mut Column) {
        let raw = &mut column.raw;
        let place = |at: u16| usize::from(at) % (raw.len() + 1);
        match self {
            Self::Byte { at, value } => {
                let at = place(at);
                if let Some(byte) = raw.get_mut(at) {
                    *byte = value;
                }
            }
            Self::Insert { at, bytes } => {
                let at = place(at);
                raw.splice(at..at, bytes);
            }
            Self::Cut { at } => raw.truncate(place(at)),
            Self::Frame { bytes } => {
                column.stored = bytes;
                return;
            }
        }
        column.stored = zstd::bulk::compress(raw, 1).expect("compresses");
    }
}

impl Corruption {
    fn apply(self, directory: &mut Value, at: usize) {
        let another = |directory: &mut Value, of: u8, field: &str| {
            let columns = columns(directory);
            let of = usize::from(of) % columns.len();
            columns[at][field] = columns[of][field].clone();
        };
        match self {
            Self::Rows(rows) => directory["rows"] = rows.into(),
            Self::Enrolments(count) => directory["enrolments"] = count.into(),
            Self::Entries(entries) => columns(directory)[at]["entries"] = entries.into(),
            Self::Raw(raw) => columns(directory)[at]["raw"] = raw.into(),
            Self::Offset(offset) => columns(directory)[at]["offset"] = offset.into(),
            Self::NameOf(of) => another(directory, of, "name"),
            Self::EncodingOf(of) => another(directory, of, "encoding"),
            Self::Optional => columns(directory)[at]["required"] = false.into(),
        }
    }
}

/// Calls every accessor used by evaluation.
fn use_it(snapshot: &Snapshot) {
    let people = &snapshot.people;
    for row in 0..people.rows() {
        if people.living.contains(row) {
            assert_eq!(people.row(people.ids[row as usize]), Some(row));
        }
        for column in people.texts.values() {
            assert!(column.codes().get(row) <= column.dictionary().len());
        }
        for column in people.dates.values() {
            assert!(column.codes().get(row) as usize <= column.moments().len());
        }
    }
    for (_, course) in snapshot.enrolments.iter() {
        for set in [
            &course.completed,
            &course.in_progress,
            &course.late,
            &course.open,
        ] {
            set.for_each(|row| assert!(course.activity(row).is_some()));
        }
        course.enrolled.for_each(|row| assert!(row < people.rows()));
        assert_eq!(course.completed.len(), course.completed_at.len());
        assert_eq!(course.open.len(), course.due_at.len());
    }
}

fuzz_target!(|forgery: Forgery| {
    let file = forge(forgery);
    let described = describe(&file);
    let Ok(snapshot) = decode(&file) else {
        assert!(described.is_err() || described.is_ok_and(|it| it.wrong().next().is_some()));
        return;
    };
    use_it(&snapshot);
    let described = described.expect("describes what it decodes");
    assert_eq!(described.wrong().count(), 0, "{described}");
    let again = encode(&snapshot).expect("encodes what it decoded");
    assert!(SnapshotReader::open(&again).is_ok());
    assert!(decode(&again).expect("decodes what it encoded") == snapshot);
});
