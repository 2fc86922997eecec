//! A few rows of a snapshot as a snapshot of its own, with what a program asks for and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::compile::Program;
use crate::ids::CourseId;
use crate::rowset::RowSet;
use crate::rules::{ActivityTest, Leaf};
use crate::snapshot::{
    Codes, CourseActivities, DateColumn, Dictionary, Enrolments, People, Postings, Snapshot,
    Source, TextColumn,
};

/// Rows of a snapshot, numbered anew from 0.
pub(super) struct Selection {
    /// Their numbers in the whole snapshot, ascending.
    pub(super) rows: Vec<u32>,
    /// What the program asks of them.
    pub(super) snapshot: Snapshot,
}

impl Selection {
    /// Takes the rows out for a program.
    pub(super) fn of(snapshot: &Snapshot, wanted: &RowSet, program: &Program<'_>) -> Self {
        let rows: Vec<u32> = wanted.iter().collect();
        let people = people(snapshot, &rows, program);
        Self {
            snapshot: Snapshot {
                header: snapshot.header.clone(),
                people,
                fields: Vec::new(),
                entra_properties: BTreeMap::new(),
                courses: Vec::new(),
                catalogs: Vec::new(),
                enrolments: enrolments(snapshot, wanted, &rows, program),
                groups: Vec::new(),
                group_roles: Vec::new(),
            },
            rows,
        }
    }

    /// The rows of a set that are selected, numbered anew.
    pub(super) fn narrow(&self, set: &RowSet) -> RowSet {
        let mut narrow = RowSet::new(self.snapshot.people.rows());
        let among = (0u32..).zip(&self.rows);
        narrow.extend(
            among
                .filter(|(_, row)| set.contains(**row))
                .map(|(at, _)| at),
        );
        narrow
    }

    /// The numbers of selected rows in the whole snapshot.
    pub(super) fn widen(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().map(|row| self.rows[*row as usize]).collect()
    }
}

fn people(snapshot: &Snapshot, rows: &[u32], program: &Program<'_>) -> People {
    let all = &snapshot.people;
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut living = RowSet::new(count);
    living.extend((0..count).filter(|at| all.living.contains(rows[*at as usize])));
    let mut people = People {
        lineage: all.lineage.clone(),
        ids: rows.iter().map(|row| all.ids[*row as usize]).collect(),
        object_ids: rows
            .iter()
            .map(|row| all.object_ids[*row as usize])
            .collect(),
        living,
        changed_in: vec![0; rows.len()],
        by_id: (0..count).collect(),
        texts: BTreeMap::new(),
        dates: BTreeMap::new(),
    };
    let ids = &people.ids;
    people.by_id.sort_unstable_by_key(|at| ids[*at as usize]);
    let (texts, dates) = sources(program);
    for source in texts {
        if let Some(column) = all.texts.get(source) {
            people.texts.insert(source.clone(), text(column, rows));
        }
    }
    for source in dates {
        if let Some(column) = all.dates.get(source) {
            people.dates.insert(source.clone(), date(column, rows));
        }
    }
    people
}

/// The columns the tests of a program ask for.
fn sources<'p>(program: &Program<'p>) -> (BTreeSet<&'p Source>, BTreeSet<&'p Source>) {
    let (mut texts, mut dates) = (BTreeSet::new(), BTreeSet::new());
    for leaf in &program.leaves {
        match leaf {
            Leaf::Missing(source)
            | Leaf::Text(source, _)
            | Leaf::Number(source, _)
            | Leaf::Boolean(source, _) => texts.insert(source),
            Leaf::Date(source, _) => dates.insert(source),
            Leaf::Activity(..) => false,
        };
    }
    (texts, dates)
}

fn text(column: &TextColumn, rows: &[u32]) -> TextColumn {
    let mut dictionary = Dictionary::default();
    let mut known: HashMap<u32, u32> = HashMap::new();
    let codes = rows.iter().map(|row| match column.codes().get(*row) {
        0 => 0,
        code => *known
            .entry(code)
            .or_insert_with(|| dictionary.push(column.dictionary().get(code).unwrap_or_default())),
    });
    let codes = codes.collect();
    TextColumn::of(dictionary, codes)
}

fn date(column: &DateColumn, rows: &[u32]) -> DateColumn {
    let codes: Vec<u32> = rows.iter().map(|row| column.codes().get(*row)).collect();
    let mut distinct: Vec<u32> = codes.iter().copied().filter(|code| *code != 0).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let narrow = |code: &u32| match distinct.binary_search(code) {
        Ok(place) => u32::try_from(place + 1).unwrap_or(0),
        Err(_) => 0,
    };
    let highest = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
    let codes = Codes::narrow(codes.iter().map(narrow).collect(), highest);
    let moments = distinct
        .iter()
        .map(|code| column.moments()[*code as usize - 1]);
    // Moments ascend with their codes, so these parts always fit.
    DateColumn::from_parts(moments.collect(), codes).unwrap_or_default()
}

fn enrolments(
    snapshot: &Snapshot,
    wanted: &RowSet,
    rows: &[u32],
    program: &Program<'_>,
) -> Enrolments {
    let mut asked: BTreeMap<CourseId, Vec<ActivityTest>> = BTreeMap::new();
    for leaf in &program.leaves {
        if let Leaf::Activity(course, test) = leaf {
            asked.entry(*course).or_default().push(*test);
        }
    }
    let ranks = Ranks::of(wanted);
    let courses = asked.into_iter().filter_map(|(id, tests)| {
        let course = snapshot.enrolments.of(id)?;
        Some((id, activities(course, &tests, wanted, &ranks)))
    });
    let courses = courses.collect();
    Enrolments::from_parts(courses, rows.len() as u64).unwrap_or_default()
}

fn activities(
    course: &CourseActivities,
    tests: &[ActivityTest],
    wanted: &RowSet,
    ranks: &Ranks<'_>,
) -> CourseActivities {
    let mut narrow = CourseActivities::default();
    for test in tests {
        match test {
            ActivityTest::Enrolled => narrow.enrolled = ranks.narrow(&course.enrolled, wanted),
            ActivityTest::InProgress => {
                narrow.in_progress = ranks.narrow(&course.in_progress, wanted);
            }
            ActivityTest::Completed | ActivityTest::CompletedInLast(_) => {
                (narrow.completed, narrow.completed_at) =
                    ranks.dated(&course.completed, &course.completed_at, wanted);
            }
            ActivityTest::Overdue => {
                narrow.late = ranks.narrow(&course.late, wanted);
                (narrow.open, narrow.due_at) = ranks.dated(&course.open, &course.due_at, wanted);
            }
        }
    }
    narrow
}

/// Tells the place of a row among the selected ones.
struct Ranks<'a> {
    words: &'a [u64],
    before: Vec<u32>,
}

impl<'a> Ranks<'a> {
    fn of(wanted: &'a RowSet) -> Self {
        let words = wanted.words();
        let mut count = 0;
        let before = words.iter().map(|word| {
            count += word.count_ones();
            count - word.count_ones()
        });
        Self {
            before: before.collect(),
            words,
        }
    }

    fn place(&self, row: u32) -> u32 {
        let word = (row / 64) as usize;
        let below = self.words[word] & ((1 << (row % 64)) - 1);
        self.before[word] + below.count_ones()
    }

    fn narrow(&self, rows: &Postings, wanted: &RowSet) -> Postings {
        let mut found = Vec::new();
        rows.among(wanted, |_, row| found.push(self.place(row)));
        Postings::Sparse(found)
    }

    fn dated(&self, rows: &Postings, moments: &[u32], wanted: &RowSet) -> (Postings, Vec<u32>) {
        let (mut found, mut at) = (Vec::new(), Vec::new());
        rows.among(wanted, |place, row| {
            found.push(self.place(row));
            at.push(moments.get(place).copied().unwrap_or(0));
        });
        (Postings::Sparse(found), at)
    }
}
