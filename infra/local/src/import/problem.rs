//! One thing that is wrong with one row, in words an administrator can act on.

use std::fmt;

/// A value or row that was left out, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Name of the file in the folder.
    pub file: String,
    /// Physical line, from 1; for a value the line it begins in.
    pub line: u64,
    /// Name of the column as the header line has it; `None` if the whole row is meant.
    pub column: Option<String>,
    /// Number of the column, from 1; `None` if the whole row is meant.
    pub column_number: Option<usize>,
    /// What is wrong, and how to set it right where that is not plain.
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
