//! The header line of a file: names and positions of its columns.

use std::collections::HashMap;

use super::error::{HeaderFault, HeaderProblem};
use super::problem::RowProblem;
use super::quoted::shortened;
use super::scan::{Broken, Record};

/// Maximum number of existing columns that a message about missing columns lists.
const MAX_LISTED: usize = 40;

/// A usable header line.
pub(super) struct Header {
    file: String,
    line: u64,
    names: Vec<String>,
    columns: HashMap<&'static str, usize>,
}

impl Header {
    /// Parses the first record of `file`. `known` are the columns that are used, compared ignoring
    /// case and outer spaces; `required` are those that must exist.
    pub(super) fn parse(
        file: &str,
        record: Option<Result<Record<'_>, Broken>>,
        known: &[&'static str],
        required: &[&'static str],
    ) -> Result<Self, HeaderProblem> {
        let line = record
            .as_ref()
            .and_then(|record| record.as_ref().ok())
            .map_or(1, |record| record.line);
        let columns = names(record).and_then(|names| {
            let columns = columns(&names, known, required)?;
            Ok((names, columns))
        });
        let file = file.to_owned();
        match columns {
            Ok((names, columns)) => Ok(Self {
                file,
                line,
                names,
                columns,
            }),
            Err(fault) => Err(HeaderProblem { file, fault }),
        }
    }

    /// Returns the line number of the header.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Returns the index of a known column, from 0.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// Returns all names as written, without outer spaces.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns a problem with the whole row.
    pub(super) fn row_problem(&self, line: u64, problem: impl Into<String>) -> RowProblem {
        RowProblem {
            file: self.file.clone(),
            line,
            column: None,
            column_number: None,
            problem: problem.into(),
        }
    }

    /// Returns a problem with the value in the column at index `at`, from 0.
    pub(super) fn value_problem(
        &self,
        line: u64,
        at: usize,
        problem: impl Into<String>,
    ) -> RowProblem {
        RowProblem {
            column: self.names.get(at).cloned(),
            column_number: Some(at + 1),
            ..self.row_problem(line, problem)
        }
    }
}

/// Returns the index of each of the `known` columns, from 0.
fn columns(
    names: &[String],
    known: &[&'static str],
    required: &[&'static str],
) -> Result<HashMap<&'static str, usize>, HeaderFault> {
    let mut columns = HashMap::new();
    let mut repeated = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let Some(known) = known.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            continue;
        };
        if columns.insert(*known, at).is_some() {
            repeated.push((*known).to_owned());
        }
    }
    let missing: Vec<String> = required
        .iter()
        .filter(|name| !columns.contains_key(*name))
        .map(|name| (*name).to_owned())
        .collect();
    if !missing.is_empty() {
        let found = names.iter().take(MAX_LISTED).map(|name| shortened(name));
        return Err(HeaderFault::Missing {
            columns: missing,
            found: found.collect(),
        });
    }
    if !repeated.is_empty() {
        return Err(HeaderFault::Repeated(repeated));
    }
    Ok(columns)
}

fn names(record: Option<Result<Record<'_>, Broken>>) -> Result<Vec<String>, HeaderFault> {
    let record = record.transpose().map_err(|_| HeaderFault::Quotes)?;
    let fields = record.map(|record| record.fields).unwrap_or_default();
    let name = |bytes: &[u8]| std::str::from_utf8(bytes).map(|name| name.trim().to_owned());
    let names: Result<_, _> = fields.iter().map(|field| name(&field.bytes)).collect();
    names.map_err(|_| HeaderFault::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::super::scan::Scanner;
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Header, String> {
        let first = Scanner::new(bytes).next();
        Header::parse(
            "some.csv",
            first,
            &["Id", "Title", "Catalog"],
            &["Title", "Catalog"],
        )
        .map_err(|problem| problem.to_string())
    }

    #[test]
    fn order_case_and_blanks_are_free() {
        let header = parse(b" CATALOG ,x,tiTle").expect("header not accepted");
        assert_eq!(header.column("Catalog"), Some(0));
        assert_eq!(header.column("Title"), Some(2));
        assert_eq!(header.column("Id"), None);
        assert_eq!(header.names(), ["CATALOG", "x", "tiTle"]);
    }

    #[test]
    fn says_what_is_wrong() {
        let table: [(&[u8], &str); 6] = [
            (
                b"Id,x\n",
                "some.csv lacks the columns Title, Catalog; its header line has: Id, x",
            ),
            (
                b"",
                "some.csv lacks the columns Title, Catalog; the file is empty",
            ),
            (
                b"Title,id,Catalog,ID,title",
                "some.csv has duplicate columns: Id, Title",
            ),
            (
                b"Title,\"Catalog\nx",
                "some.csv has a header line with misplaced quotes",
            ),
            (
                b"Title,Catalog,\xe9",
                "some.csv is not UTF-8 text; save it as \"CSV UTF-8 (comma delimited)\"",
            ),
            (
                b"\xff\xfeT\0i\0",
                "some.csv is not UTF-8 text; save it as \"CSV UTF-8 (comma delimited)\"",
            ),
        ];
        for (bytes, sentence) in table {
            assert_eq!(parse(bytes).err().as_deref(), Some(sentence), "{bytes:?}");
        }
    }
}
