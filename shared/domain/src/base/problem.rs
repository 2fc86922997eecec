//! A problem with a document: its position, the cause and the remedy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A problem with a document, addressed by a JSON pointer (RFC 6901), so that a form can show it
/// next to the field and a response can list all problems at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// JSON pointer into the document; `""` for the whole document.
    pub pointer: String,
    /// The cause and the remedy, as one sentence.
    pub detail: String,
}

impl Problem {
    /// Creates a problem.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.pointer, self.detail)
        }
    }
}

/// Joins all problems into one line for a run report.
pub fn join_problems(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" · ")
}
