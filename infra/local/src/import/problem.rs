//! A problem with one row, as a message for administrators.

use std::fmt;

/// A skipped value or row, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The name of the file in the folder.
    pub file: String,
    /// The line number from 1; for a value, the line in which it begins.
    pub line: u64,
    /// The column's name as in the header line; `None` if the problem concerns the whole row.
    pub column: Option<String>,
    /// The column's number from 1; `None` if the problem concerns the whole row.
    pub column_number: Option<usize>,
    /// The problem and, unless obvious, its solution.
    pub problem: String,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)?;
        if let Some(number) = self.column_number {
            write!(f, ", column {number}")?;
        }
        if let Some(column) = &self.column {
            write!(f, " ({column})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_and_what() {
        let mut problem = RowProblem {
            file: "users.csv".to_owned(),
            line: 17,
            column: Some("id".to_owned()),
            column_number: Some(6),
            problem: "is missing".to_owned(),
        };
        assert_eq!(
            problem.to_string(),
            "users.csv, line 17, column 6 (id): is missing"
        );
        problem.column = None;
        assert_eq!(
            problem.to_string(),
            "users.csv, line 17, column 6: is missing"
        );
        problem.column_number = None;
        assert_eq!(problem.to_string(), "users.csv, line 17: is missing");
    }
}
