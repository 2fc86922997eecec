//! Computes a lower bound of the evaluation time: one read of the input at memory speed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use rollcall_domain::snapshot::lms::FieldKind;

use crate::cpu::{millis, timed};
use crate::ours::Ours;
use crate::person::{Person, people};
use crate::tree::{CourseIs, Field, Test, Tree, read};
use crate::workload::{Sizes, Workload};

/// The permitted ratio of a run's time to the bound.
const TIMES: f64 = 20.0;

/// Numbers in the buffer: 512 MiB, larger than any CPU cache.
const BUFFER: usize = 64 << 20;

/// A column and its minimum size in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its content.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Measures and prints.
pub fn run(sizes: Sizes) {
    let workload = Workload::new(sizes);
    let (trees, people) = (read(&workload), people(&workload));
    let columns = columns(&trees, &people);
    for column in &columns {
        println!("{:<34}{:>14} bytes", column.name, column.bytes);
    }
    let bytes = columns.iter().map(|column| column.bytes).sum();
    let bandwidth = sequential_read();
    println!("{:<34}{bytes:>14} bytes", "all that rules refer to, once");
    println!(
        "{:<34}{:>14.1} GB/s",
        "sequential read, one core",
        bandwidth / 1e9
    );
    println!("{:<34}{:>14.3} ms", "bound", bound(bytes, bandwidth));
}

/// Returns the ratio of a run's time to reading the columns used by rules and today's members once
/// at memory speed.
pub fn against(best: Duration, trees: &[Option<Tree>], people: &[Person], ours: &Ours) -> String {
    let columns: u64 = columns(trees, people)
        .iter()
        .map(|column| column.bytes)
        .sum();
    let bytes = columns + ours.current_bytes();
    let bound = bound(bytes, sequential_read());
    let times = millis(best) / bound;
    let word = if times <= TIMES { "ok" } else { "not" };
    format!(
        "memory bound {bound:.3} ms for {bytes} bytes; ours takes {times:.1} times that, {TIMES} allowed: {word}"
    )
}

/// Returns the milliseconds needed to read `bytes` at a bandwidth in bytes per second.
pub fn bound(bytes: u64, bandwidth: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    let bytes = bytes as f64;
    bytes / bandwidth * 1_000.0
}

/// Returns the bytes per second one core reads from memory, the best of five passes.
pub fn sequential_read() -> f64 {
    let buffer: Vec<u64> = (0..BUFFER as u64).collect();
    let pass = || {
        timed(|| {
            buffer
                .iter()
                .fold(0u64, |sum, number| sum.wrapping_add(*number))
        })
        .0
    };
    let best = (0..5).map(|_| pass()).min().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "half a gigabyte")]
    let bytes = (BUFFER * 8) as f64;
    bytes * 1_000.0 / millis(best)
}

/// Returns the columns used by rules, in the narrowest plain form: codes of one, two or four bytes
/// for texts, numbers and booleans, four bytes for a time (minutes would suffice) and for an
/// enrolment's user, one for its progress.
pub fn columns(trees: &[Option<Tree>], people: &[Person]) -> Vec<Column> {
    let mut fields: BTreeMap<&str, Field> = BTreeMap::new();
    let mut courses: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for test in trees.iter().flatten().flat_map(Tree::tests) {
        match test {
            Test::Missing(field)
            | Test::Text(field, _)
            | Test::Number(field, ..)
            | Test::Truth(field, _)
            | Test::Moment(field, ..) => {
                fields.insert(field.name(), *field);
            }
            Test::Course(course, is) => courses.entry(*course).or_default().extend(parts(*is)),
        }
    }
    let kinds = Field::all();
    let rows = people.len() as u64;
    let used = kinds
        .into_iter()
        .filter(|(field, _)| fields.contains_key(field.name()));
    let mut columns: Vec<Column> = used
        .map(|(field, kind)| Column {
            name: field.name().to_owned(),
            bytes: rows * width(field, kind, people),
        })
        .collect();
    columns.push(Column {
        name: format!("enrolments of {} courses", courses.len()),
        bytes: enrolments(&courses, people),
    });
    columns
}

/// Returns the parts of an enrolment read by a predicate, each as a number whose last digit is the
/// size of the part in bytes.
fn parts(is: CourseIs) -> Vec<u64> {
    let (person, progress, completed, due) = (4, 11, 24, 34);
    match is {
        CourseIs::Enrolled => vec![person],
        CourseIs::Completed | CourseIs::InProgress => vec![person, progress],
        CourseIs::CompletedWithin(..) => vec![person, progress, completed],
        CourseIs::Overdue => vec![person, progress, completed, due],
    }
}

fn enrolments(courses: &BTreeMap<u32, BTreeSet<u64>>, people: &[Person]) -> u64 {
    let all = people.iter().flat_map(|person| &person.courses);
    all.filter_map(|(course, attempts)| {
        let row: u64 = courses.get(course)?.iter().map(|part| part % 10).sum();
        Some(row * attempts.len() as u64)
    })
    .sum()
}

fn width(field: Field, kind: FieldKind, people: &[Person]) -> u64 {
    if kind == FieldKind::Date {
        return 4;
    }
    let values: HashSet<String> = people
        .iter()
        .filter_map(|person| match person.text(field) {
            Some(text) => Some(text.to_owned()),
            None => person
                .custom(field.name())
                .map(|value| format!("{value:?}")),
        })
        .collect();
    match values.len() {
        0..=255 => 1,
        256..=65_535 => 2,
        _ => 4,
    }
}
