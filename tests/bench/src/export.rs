//! Writes the workload to files, for peers in other languages.
//!
//! Texts are folded and dates are milliseconds, so that peers can compare them directly.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use rollcall_domain::snapshot::lms::Progress;
use rollcall_domain::audience::profile::{Profile, Target};
use serde::Serialize;

use crate::checksum::Checksum;
use crate::ours::{Ours, store};
use crate::person::{Person, Value, bytes, people};
use crate::ratios::describe;
use crate::tree::{Field, Tree, read};
use crate::workload::{Sizes, Workload};

/// The stored snapshot, in the product's format.
pub const SNAPSHOT: &str = "snapshot.bin";
/// The profiles in the product's stored format, as one list.
pub const STORED: &str = "stored-profiles.json";

/// A profile for the peers: its tree, and its exceptions as user indexes.
#[derive(Debug, Serialize)]
struct Exported<'a> {
    tree: Option<&'a Tree>,
    include: Vec<u32>,
    exclude: Vec<u32>,
    include_profiles: Vec<usize>,
    exclude_profiles: Vec<usize>,
}

/// Writes `users.csv`, `enrolments.csv`, `profiles.json`, `expected.csv` (ours) and the input of
/// [`crate::ours`] for further runs.
///
/// # Errors
/// If a file cannot be written.
pub fn run(sizes: Sizes, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let workload = Workload::new(sizes);
    let (trees, people) = (read(&workload), people(&workload));
    println!("{}", describe(&workload, &trees, people.len()));
    users(folder, &people)?;
    enrolments(folder, &people)?;
    profiles(folder, &workload, &trees, &people)?;
    let ours = Ours::of(&workload);
    expected(folder, &ours.checksums(&ours.evaluate(), 1))?;
    fs::write(folder.join(SNAPSHOT), store(&workload.snapshot())?)?;
    let stored = serde_json::to_vec(&workload.profiles)?;
    fs::write(folder.join(STORED), stored)
}

fn users(folder: &Path, people: &[Person]) -> io::Result<()> {
    let mut file = csv::Writer::from_path(folder.join("users.csv"))?;
    let fields = Field::all();
    let names = fields.iter().map(|(field, _)| field.name());
    // Numbers, booleans and dates can be present but invalid, which is not missing.
    let given = ["hireDate", "costCentre", "remote"].map(|name| format!("{name}Given"));
    let header = ["place", "id"].into_iter().chain(names);
    file.write_record(header.chain(given.iter().map(String::as_str)))?;
    for (place, person) in people.iter().enumerate() {
        let mut record = vec![place.to_string(), hex::encode(person.id)];
        record.extend(fields.iter().map(|(field, _)| cell(person, *field)));
        let given = ["hireDate", "costCentre", "remote"].map(|name| person.custom(name).is_some());
        record.extend(given.map(|given| given.to_string()));
        file.write_record(record)?;
    }
    file.flush()
}

fn cell(person: &Person, field: Field) -> String {
    match (person.text(field), person.custom(field.name())) {
        (Some(text), _) => text.to_owned(),
        (None, Some(Value::Number(number))) => number.to_string(),
        (None, Some(Value::Truth(truth))) => truth.to_string(),
        (None, Some(Value::Moment(moment))) => moment.to_string(),
        (None, _) => String::new(),
    }
}

/// Writes the enrolments ordered by course and user, like an index.
fn enrolments(folder: &Path, people: &[Person]) -> io::Result<()> {
    let mut rows: Vec<(u32, usize, _)> = Vec::new();
    for (place, person) in people.iter().enumerate() {
        for (course, attempts) in &person.courses {
            rows.extend(attempts.iter().map(|attempt| (*course, place, *attempt)));
        }
    }
    rows.sort_by_key(|(course, place, _)| (*course, *place));
    let mut file = csv::Writer::from_path(folder.join("enrolments.csv"))?;
    file.write_record(["course", "place", "progress", "completedAt", "dueAt"])?;
    for (course, place, attempt) in rows {
        let progress = match attempt.progress {
            Progress::Completed => "completed",
            Progress::InProgress => "inProgress",
            Progress::NotStarted => "notStarted",
        };
        let moment = |moment: Option<i64>| moment.map(|at| at.to_string()).unwrap_or_default();
        file.write_record([
            &course.to_string(),
            &place.to_string(),
            progress,
            &moment(attempt.completed_at),
            &moment(attempt.due_at),
        ])?;
    }
    file.flush()
}

fn profiles(
    folder: &Path,
    workload: &Workload,
    trees: &[Option<Tree>],
    people: &[Person],
) -> io::Result<()> {
    let place: HashMap<[u8; 16], u32> = people
        .iter()
        .zip(0u32..)
        .map(|(person, place)| (person.id, place))
        .collect();
    let users = |targets: &BTreeSet<Target>| {
        let users = targets.iter().filter_map(|target| match target {
            Target::User(user) => place.get(&bytes(*user)).copied(),
            Target::Profile(_) => None,
        });
        users.collect()
    };
    let others = |targets: &BTreeSet<Target>| {
        let named = |profile: &&Profile| targets.contains(&Target::Profile(profile.id));
        let all = workload.profiles.iter().enumerate();
        all.filter(|(_, profile)| named(profile))
            .map(|(at, _)| at)
            .collect()
    };
    let exported: Vec<Exported> = workload
        .profiles
        .iter()
        .zip(trees)
        .map(|(profile, tree)| Exported {
            tree: tree.as_ref(),
            include: users(&profile.overrides.include),
            exclude: users(&profile.overrides.exclude),
            include_profiles: others(&profile.overrides.include),
            exclude_profiles: others(&profile.overrides.exclude),
        })
        .collect();
    let document = serde_json::json!({
        "now": workload.at.timestamp_millis(),
        "courses": workload.data.courses.len(),
        "profiles": exported,
    });
    fs::write(folder.join("profiles.json"), serde_json::to_vec(&document)?)
}

fn expected(folder: &Path, checksums: &[Checksum]) -> io::Result<()> {
    let mut file = csv::Writer::from_path(folder.join("expected.csv"))?;
    file.write_record(["members", "sha256"])?;
    for checksum in checksums {
        file.write_record([&checksum.members.to_string(), &checksum.sha256])?;
    }
    file.flush()
}
