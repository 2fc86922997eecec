//! One thing that is wrong with what somebody wrote: where, what, and how to mend it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A finding about a document, addressed by JSON pointer (RFC 6901), so that a
/// form can show it beside the field and an answer can list all at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Where: a JSON pointer into the document, `""` for the whole.
    pub pointer: String,
    /// What is wrong and how to mend it, as one sentence.
    pub detail: String,
}

impl Problem {
    /// A finding at a place.
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

/// All findings as one sentence list, for a run report.
pub fn join_problems(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" · ")
}
