//! A CSV file as rows whose values are read by column name.

use std::borrow::Cow;
use std::str::Utf8Error;

use super::error::HeaderProblem;
use super::folder::Source;
use super::header::Header;
use super::problem::RowProblem;
use super::scan::{Field, Record, Scanner};

/// A file with a valid header.
pub(super) struct Table<'a> {
    header: Header,
    records: Scanner<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn open(
        source: &'a Source,
        known: &[&'static str],
        required: &[&'static str],
    ) -> Result<Self, HeaderProblem> {
        let mut records = Scanner::new(&source.bytes);
        let header = Header::parse(&source.name, records.next(), known, required)?;
        Ok(Self { header, records })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// Calls `read` for every valid row and collects the problems of all rows.
    ///
    /// Rows without any value are skipped, because spreadsheets export them.
    pub(super) fn each(self, problems: &mut Vec<RowProblem>, mut read: impl FnMut(&mut Row<'_>)) {
        let Self { header, records } = self;
        for record in records {
            let record = match record {
                Ok(record) if is_blank(&record) => continue,
                Ok(record) => record,
                Err(broken) => {
                    let sentence = broken.fault.sentence();
                    problems.push(header.value_problem(broken.line, broken.field - 1, sentence));
                    continue;
                }
            };
            match Row::new(&header, record) {
                Ok(mut row) => {
                    read(&mut row);
                    problems.append(&mut row.problems);
                }
                Err(mut found) => problems.append(&mut found),
            }
        }
    }
}

fn is_blank(record: &Record<'_>) -> bool {
    let mut fields = record.fields.iter();
    fields.all(|field| field.bytes.trim_ascii().is_empty())
}

/// A row with one value per column, all in UTF-8.
pub(super) struct Row<'r> {
    header: &'r Header,
    line: u64,
    values: Vec<(u64, Cow<'r, str>)>,
    problems: Vec<RowProblem>,
}

impl<'r> Row<'r> {
    fn new(header: &'r Header, record: Record<'r>) -> Result<Self, Vec<RowProblem>> {
        let (columns, line) = (header.names().len(), record.line);
        if record.fields.len() != columns {
            let sentence = wrong_count(record.fields.len(), columns);
            return Err(vec![header.row_problem(line, sentence)]);
        }
        let mut values = Vec::with_capacity(columns);
        let mut problems = Vec::new();
        for (at, Field { line, bytes }) in record.fields.into_iter().enumerate() {
            match decoded(bytes) {
                Ok(text) => values.push((line, text)),
                Err(error) => {
                    let sentence = not_utf8(error);
                    problems.push(header.value_problem(line, at, sentence));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            header,
            line,
            values,
            problems,
        })
    }

    /// Returns the line in which the row begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Returns true if no value has been rejected yet.
    pub(super) fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns the value unchanged; `None` if it is blank or the column does not exist.
    pub(super) fn value(&self, column: &str) -> Option<&str> {
        self.value_at(self.header.column(column)?)
    }

    fn value_at(&self, at: usize) -> Option<&str> {
        let (_, text) = self.values.get(at)?;
        (!text.trim().is_empty()).then_some(text.as_ref())
    }

    /// Returns the parsed value; `None` if it is blank, or invalid, which is recorded as a problem.
    pub(super) fn optional<T>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.optional_at(self.header.column(column)?, parse)
    }

    /// As [`Row::optional`], for the column at index `at`, from 0.
    pub(super) fn optional_at<T>(
        &mut self,
        at: usize,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.value_at(at)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.refuse_at(at, problem);
                None
            }
        }
    }

    /// As [`Row::optional`], but a blank value is a problem too.
    pub(super) fn required<T>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.value(column).is_none() {
            self.refuse(column, "is missing");
        }
        self.optional(column, parse)
    }

    /// Records a problem with the value in a column.
    pub(super) fn refuse(&mut self, column: &str, problem: impl Into<String>) {
        if let Some(at) = self.header.column(column) {
            self.refuse_at(at, problem);
        }
    }

    fn refuse_at(&mut self, at: usize, problem: impl Into<String>) {
        let line = self.values.get(at).map_or(self.line, |(line, _)| *line);
        self.problems
            .push(self.header.value_problem(line, at, problem));
    }
}

fn wrong_count(values: usize, columns: usize) -> String {
    let hint = if values > columns {
        "; a value that contains the delimiter must be quoted"
    } else {
        ""
    };
    format!("has {values} values where the header line has {columns} columns{hint}")
}

fn decoded(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Utf8Error> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|error| error.utf8_error()),
    }
}

fn not_utf8(error: Utf8Error) -> String {
    format!(
        "is not UTF-8 text from byte {} of the value on; save the file as \"CSV UTF-8 (comma \
         delimited)\"",
        error.valid_up_to() + 1
    )
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;

    /// Returns the valid rows as (line, Title), and the problems.
    fn read(bytes: &[u8]) -> (Vec<(u64, String)>, Vec<String>) {
        let source = Source {
            name: "some.csv".to_owned(),
            bytes: bytes.to_vec(),
        };
        let table =
            Table::open(&source, &["Id", "Title"], &["Title"]).expect("header not accepted");
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        table.each(&mut problems, |row| {
            row.optional("Id", value::guid);
            if let Some(title) = row.required("Title", value::text) {
                rows.push((row.line(), title));
            }
        });
        (rows, problems.iter().map(RowProblem::to_string).collect())
    }

    #[test]
    fn reports_rows_of_the_wrong_shape_and_continues() {
        let (rows, problems) = read(b"Title,Id\nA\n\n , \nB,,\nC,\n,\n");
        assert_eq!(rows, [(6, "C".to_owned())]);
        assert_eq!(
            problems,
            [
                "some.csv, line 2: has 1 values where the header line has 2 columns",
                "some.csv, line 5: has 3 values where the header line has 2 columns; a value that \
                 contains the delimiter must be quoted",
            ]
        );
    }

    #[test]
    fn reports_bytes_that_are_not_utf8_and_continues() {
        let (rows, problems) = read(b"Title,Id\nF\xfchrung,\nA,\n\"\"\"\xe9\",\n");
        assert_eq!(rows, [(3, "A".to_owned())]);
        assert_eq!(
            problems,
            [
                "some.csv, line 2, column 1 (Title): is not UTF-8 text from byte 2 of the value \
                 on; save the file as \"CSV UTF-8 (comma delimited)\"",
                "some.csv, line 4, column 1 (Title): is not UTF-8 text from byte 2 of the value \
                 on; save the file as \"CSV UTF-8 (comma delimited)\"",
            ]
        );
    }

    #[test]
    fn reports_broken_quotes_and_continues() {
        let (rows, problems) = read(b"Title,Id\nA,\"\nB,\n\"C\" ,\nD,");
        assert_eq!(rows, [(3, "B".to_owned()), (5, "D".to_owned())]);
        assert_eq!(
            problems,
            [
                "some.csv, line 2, column 2 (Id): the value opens with a quote that is not closed",
                "some.csv, line 4, column 1 (Title): text follows the closing quote; a quote \
                 inside a quoted value is written twice",
            ]
        );
    }

    #[test]
    fn names_the_line_of_the_value_rather_than_of_the_row() {
        let (rows, problems) = read(b"Title,Id\n\"two\nlines\",x\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            problems,
            ["some.csv, line 3, column 2 (Id): must be a GUID such as \
              3f2504e0-4f89-41d3-9a0c-0305e82c3301, not \"x\""]
        );
    }

    #[test]
    fn reports_all_problems_of_a_row() {
        let (rows, problems) = read(b"Title,Id,x\n ,x,y\n");
        assert_eq!((rows.len(), problems.len()), (0, 2));
        assert_eq!(
            problems[1],
            "some.csv, line 2, column 1 (Title): is missing"
        );
    }
}
