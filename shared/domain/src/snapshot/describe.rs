//! A description of a snapshot file for operators; it covers a damaged file as far as possible.

use std::fmt;

use super::format::{DecodeError, Identity, SnapshotReader, VERSION};
use super::{Header, Lineage};

/// The content of a snapshot file. `Display` renders it as a page of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Identity and time of the snapshot.
    pub header: Header,
    /// The lineage that defines the row numbers.
    pub lineage: Lineage,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// The number of rows of learners, including empty ones.
    pub rows: u32,
    /// The number of learner enrolments that the platform listed.
    pub enrolments: u64,
    /// The number of learners; `None` if it cannot be read because of damage.
    pub learners: Option<u32>,
    /// The number of courses; `None` if it cannot be read because of damage.
    pub courses: Option<usize>,
    /// The columns in file order.
    pub columns: Vec<ColumnDescription>,
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDescription {
    /// The name of the column.
    pub name: String,
    /// The encoding of its content.
    pub encoding: String,
    /// The number of entries.
    pub entries: u64,
    /// The number of distinct values, if counted.
    pub distinct: Option<u32>,
    /// The number of rows without a value, if counted.
    pub missing: Option<u32>,
    /// The decompressed size in bytes.
    pub raw: u64,
    /// The size in the file in bytes.
    pub stored: u64,
    /// The result of the check.
    pub state: ColumnState,
}

/// The result of checking a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnState {
    /// The checksum matches and the content is valid.
    Sound,
    /// The column is unknown to this program and not required.
    Skipped,
    /// The column cannot be used, with the cause.
    Wrong(String),
}

impl Description {
    /// Returns the columns that cannot be used.
    pub fn wrong(&self) -> impl Iterator<Item = &ColumnDescription> {
        let columns = self.columns.iter();
        columns.filter(|column| matches!(column.state, ColumnState::Wrong(_)))
    }
}

/// Describes a file.
///
/// # Errors
/// Returns an error if the directory cannot be read. Damaged, unknown or inconsistent columns are
/// no error; the description lists them.
pub fn describe(file: &[u8]) -> Result<Description, DecodeError> {
    let reader = SnapshotReader::open_leniently(file)?;
    let mut columns: Vec<_> = reader
        .columns()
        .iter()
        .map(|column| {
            let checked = reader.check(column);
            let (distinct, missing) = *checked.as_ref().unwrap_or(&(None, None));
            ColumnDescription {
                name: column.name.clone(),
                encoding: column.encoding.clone(),
                entries: column.entries,
                distinct,
                missing,
                raw: column.raw,
                stored: column.stored,
                state: match checked {
                    Ok(_) if column.is_known() => ColumnState::Sound,
                    Ok(_) => ColumnState::Skipped,
                    Err(error) => ColumnState::Wrong(error.to_string()),
                },
            }
        })
        .collect();
    let identity = reader.identity();
    let living = identity.as_ref().ok().map(learners);
    let people = identity.and_then(|identity| identity.by_id());
    let platform = reader.platform();
    let enrolments = reader.enrolments();
    let courses = platform
        .as_ref()
        .ok()
        .map(|platform| platform.courses.len());
    for error in [people.err(), platform.err(), enrolments.err()] {
        blame(&mut columns, error);
    }
    Ok(Description {
        header: reader.header().clone(),
        lineage: reader.lineage().clone(),
        bytes: file.len() as u64,
        rows: reader.rows(),
        enrolments: reader.enrolment_count(),
        learners: living,
        courses,
        columns,
    })
}

fn learners(identity: &Identity) -> u32 {
    u32::try_from(identity.living.len()).unwrap_or(u32::MAX)
}

/// Records an error of a group of columns at the column it names. A required column that is missing
/// is added to the list.
fn blame(columns: &mut Vec<ColumnDescription>, error: Option<DecodeError>) {
    let Some(error) = error else { return };
    let name = error.column().unwrap_or("(all)").to_owned();
    let state = ColumnState::Wrong(error.to_string());
    if let Some(column) = columns.iter_mut().find(|column| column.name == name) {
        if column.state == ColumnState::Sound {
            column.state = state;
        }
        return;
    }
    columns.push(ColumnDescription {
        name,
        encoding: "-".to_owned(),
        entries: 0,
        distinct: None,
        missing: None,
        raw: 0,
        stored: 0,
        state,
    });
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: Option<String>| number.unwrap_or_else(|| "?".to_owned());
        writeln!(f, "Snapshot   {}", self.header.id)?;
        writeln!(f, "Tenant     {}", self.header.tenant)?;
        writeln!(f, "Taken at   {}", self.header.taken_at.to_rfc3339())?;
        writeln!(f, "Format     version {VERSION}, {} bytes", self.bytes)?;
        writeln!(
            f,
            "Lineage    {} refreshes since {}",
            self.lineage.step, self.lineage.first
        )?;
        let learners = count(self.learners.map(|learners| learners.to_string()));
        writeln!(f, "Learners   {learners} in {} rows", self.rows)?;
        let courses = count(self.courses.map(|courses| courses.to_string()));
        writeln!(f, "Courses    {courses}")?;
        writeln!(f, "Enrolments {}", self.enrolments)?;
        writeln!(f)?;
        self.table(f)?;
        let wrong = self.wrong().count();
        if wrong > 0 {
            writeln!(
                f,
                "\nThis snapshot cannot be used. Invalid columns: {wrong}"
            )?;
            for column in self.wrong() {
                if let ColumnState::Wrong(why) = &column.state {
                    writeln!(f, "  {}: {why}", column.name)?;
                }
            }
        }
        Ok(())
    }
}

impl Description {
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .columns
            .iter()
            .map(|column| column.name.chars().count());
        let width = names.max().unwrap_or(0);
        writeln!(
            f,
            "{:width$}  {:14} {:>10} {:>9} {:>9} {:>11} {:>11}  state",
            "column", "encoding", "entries", "distinct", "missing", "raw bytes", "stored"
        )?;
        for column in &self.columns {
            let number =
                |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
            let state = match column.state {
                ColumnState::Sound => "ok",
                ColumnState::Skipped => "unknown, skipped",
                ColumnState::Wrong(_) => "INVALID",
            };
            writeln!(
                f,
                "{:width$}  {:14} {:>10} {:>9} {:>9} {:>11} {:>11}  {state}",
                column.name,
                column.encoding,
                column.entries,
                number(column.distinct),
                number(column.missing),
                column.raw,
                column.stored,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::encode;
    use super::*;
    use crate::testing::World;

    fn file() -> Vec<u8> {
        let mut world = World::new();
        world.person("Ada").with("city", "Denver");
        world.person("Grace").without_entra();
        world.course("Security 101");
        world.completed("Ada", "Security 101", "2026-01-01");
        encode(&world.snapshot()).expect("snapshot not encoded")
    }

    fn column<'a>(description: &'a Description, name: &str) -> &'a ColumnDescription {
        let mut columns = description.columns.iter();
        columns
            .find(|column| column.name == name)
            .expect("column not described")
    }

    #[test]
    fn a_sound_file_is_described() {
        let description = describe(&file()).expect("file not described");
        assert_eq!(description.wrong().count(), 0);
        assert_eq!((description.rows, description.learners), (2, Some(2)));
        assert_eq!((description.courses, description.enrolments), (Some(1), 1));
        let city = column(&description, "text:city");
        assert_eq!((city.distinct, city.missing), (Some(1), Some(1)));
        assert_eq!(column(&description, "people.object_ids").missing, Some(1));
    }

    #[test]
    fn a_description_is_a_page_of_text() {
        let page = describe(&file()).expect("file not described").to_string();
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(lines[5], "Learners   2 in 2 rows");
        assert_eq!(
            lines[9].split_whitespace().collect::<Vec<_>>(),
            [
                "column", "encoding", "entries", "distinct", "missing", "raw", "bytes", "stored",
                "state"
            ]
        );
        let city = lines.iter().find(|line| line.starts_with("text:city"));
        let words: Vec<_> = city
            .expect("column not listed")
            .split_whitespace()
            .collect();
        assert_eq!(words[..5], ["text:city", "texts", "2", "1", "1"]);
        assert_eq!(words.last(), Some(&"ok"));
    }

    #[test]
    fn damage_is_described_column_by_column() {
        let valid = file();
        let sound = describe(&valid).expect("file not described");
        let mut at = 8;
        for (place, broken) in sound.columns.iter().enumerate() {
            let mut file = valid.clone();
            file[at] ^= 1;
            at += usize::try_from(broken.stored).expect("size out of range");
            let description = describe(&file).expect("file not described");
            let wrong: Vec<_> = description.wrong().map(|column| &column.name).collect();
            assert_eq!(wrong, [&broken.name], "column {place}");
            assert!(description.to_string().contains("Invalid columns: 1"));
        }
    }

    #[test]
    fn a_damaged_directory_cannot_be_described() {
        let mut file = file();
        let at = file.len() - 40;
        file[at] ^= 1;
        assert!(describe(&file).is_err());
    }
}
