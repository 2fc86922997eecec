//! A snapshot of the learning platform's data: the bytes of the file, its unpacked sections, its
//! schema.

use std::fmt::Write;

use rollcall_domain::base::ids::UserId;
use rollcall_domain::snapshot::ingest::{EntraProperties, build};
use rollcall_domain::snapshot::lms::{FieldKind, Progress, RoleRow, RoleScope};
use rollcall_domain::snapshot::{Header, LmsGroup, Snapshot, format};
use rollcall_domain::testing::World;
use serde_json::Value;

use super::samples::{TENANT, at, catalog, course, snapshot_id, user};
use super::steady::dump;
use super::values::written;

/// Returns a small world with a field of each kind, users with and without values, and enrolments
/// of each progress.
fn world() -> World {
    let mut world = World::new();
    for (title, kind) in [
        ("Badge", FieldKind::Text),
        ("Driver", FieldKind::Boolean),
        ("Years", FieldKind::Number),
        ("Hired", FieldKind::Date),
    ] {
        world.field(title, kind);
    }
    world.course("Welding");
    world.course("First Aid");
    world
        .person("Ada")
        .with("city", "Denver")
        .with("department", "Field")
        .with("jobTitle", "Welder")
        .with("email", "ada@contoso.example")
        .custom("Badge", "B-1")
        .custom("Driver", "true")
        .custom("Years", "12.5")
        .custom("Hired", "2020-02-29");
    world.person("Zoë").with("city", "denver ").without_entra();
    world.lms_group("c:0t.c|tenant|group");
    world.completed("Ada", "Welding", "2021-01-02");
    let due = Some("2021-05-06");
    world.enrol("Ada", "First Aid", Progress::InProgress, None, due);
    world.enrol("Zoë", "Welding", Progress::NotStarted, None, None);
    world
}

fn entra() -> EntraProperties {
    let values = [
        ("employeeType", "Staff"),
        ("employeeHireDate", "2020-02-29"),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    EntraProperties {
        kinds: [
            ("employeeType".to_owned(), FieldKind::Text),
            ("employeeHireDate".to_owned(), FieldKind::Date),
        ]
        .into(),
        values: [(World::object("Ada"), values.into())].into(),
    }
}

/// Returns the snapshot of the world with properties of Entra users, a predefined field, and groups
/// with a role of each scope.
fn snapshot() -> Snapshot {
    let mut data = world().data();
    data.fields.push(rollcall_domain::snapshot::lms::FieldRow {
        id: World::field_id("City"),
        title: "City".to_owned(),
        kind: FieldKind::Text,
        predefined: true,
    });
    let header = Header {
        id: snapshot_id(1),
        tenant: TENANT,
        taken_at: at(0),
    };
    let mut snapshot = build(header, data, &entra());
    let group: UserId = user(9);
    snapshot.groups.push(LmsGroup {
        id: group,
        login_name: "c:0-.f|rolemanager|staff".to_owned(),
        object_id: None,
    });
    let scopes = [
        RoleScope::Course(course(1)),
        RoleScope::Catalog(catalog(1)),
        RoleScope::Other,
    ];
    let roles = scopes.map(|scope| RoleRow {
        user: group,
        is_group: true,
        role: "Learner".to_owned(),
        scope,
    });
    snapshot.group_roles = roles.into();
    snapshot
}

/// Snapshots the bytes of the file. Another version of zstd may compress it differently without a
/// change of the format; then the unpacked sections below stay the same.
#[test]
fn the_file() {
    let bytes = format::encode(&snapshot()).expect("not encoded");
    assert_eq!(format::decode(&bytes).expect("not decoded"), snapshot());
    insta::assert_snapshot!(dump(&bytes));
}

/// Returns the table of sections at the end of a file.
fn directory(bytes: &[u8]) -> Value {
    // It is followed by length, checksum and magic bytes.
    let (rest, end) = bytes.split_at(bytes.len() - 18);
    let length = u32::from_le_bytes([end[0], end[1], end[2], end[3]]);
    let length = usize::try_from(length).expect("too large");
    serde_json::from_slice(&rest[rest.len() - length..]).expect("invalid JSON")
}

/// Returns a column's content, as JSON if it is JSON.
fn unpacked(bytes: &[u8], column: &Value) -> String {
    let number = |name: &str| {
        let number = column[name].as_u64().expect("not a number");
        usize::try_from(number).expect("too large")
    };
    let (offset, stored) = (number("offset"), number("stored"));
    let content = zstd::stream::decode_all(&bytes[offset..offset + stored]);
    let content = content.expect("invalid column");
    assert_eq!(content.len(), number("raw"));
    match serde_json::from_slice::<Value>(&content) {
        Ok(json @ Value::Object(_)) => {
            serde_json::to_string_pretty(&json).expect("not serialized") + "\n"
        }
        _ => dump(&content),
    }
}

#[test]
fn the_parts_unpacked() {
    let bytes = format::encode(&snapshot()).expect("not encoded");
    let mut directory = directory(&bytes);
    let mut text = String::new();
    for column in directory["columns"].as_array_mut().expect("no columns") {
        let content = unpacked(&bytes, column);
        for packed in ["offset", "stored", "xxh3"] {
            column[packed] = "[as packed]".into();
        }
        writeln!(text, "{column}\n{content}").expect("text not written");
    }
    directory["columns"] = "[above]".into();
    let directory = serde_json::to_string_pretty(&directory).expect("not serialized");
    insta::assert_snapshot!(text + &directory);
}

#[test]
fn the_schema() {
    let schema = rollcall_domain::snapshot::schema::build(&snapshot());
    insta::assert_json_snapshot!(written(&schema));
}
