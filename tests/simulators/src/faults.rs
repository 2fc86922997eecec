//! Faults injected by tests: affected requests, first occurrence, number and kind.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A rule that makes matching requests of one tenant fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The requests to count.
    pub matches: FaultMatch,
    /// First matching request that fails, counted from 1.
    #[serde(default = "first")]
    pub from_occurrence: u32,
    /// Number of consecutive requests that fail; `u32::MAX` for all.
    #[serde(default = "first")]
    pub times: u32,
    /// The effect.
    pub kind: FaultKind,
}

fn first() -> u32 {
    1
}

impl Fault {
    /// Creates a fault for the first request whose path contains `path`.
    pub fn once(path: impl Into<String>, kind: FaultKind) -> Self {
        let matches = FaultMatch {
            method: None,
            path_contains: path.into(),
        };
        Self {
            matches,
            from_occurrence: 1,
            times: 1,
            kind,
        }
    }

    /// Limits the fault to one HTTP method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.matches.method = Some(method.into());
        self
    }

    /// Applies the fault to `times` requests, starting with the `from`-th match.
    #[must_use]
    pub fn at(mut self, from: u32, times: u32) -> Self {
        self.from_occurrence = from;
        self.times = times;
        self
    }
}

/// Selects requests by method and target; parts of a `$batch` count like requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultMatch {
    /// HTTP method; `None` matches all.
    #[serde(default)]
    pub method: Option<String>,
    /// Part of the path and query, raw or percent-decoded, e.g. `/odata/v2/Users`.
    pub path_contains: String,
}

/// The effect of a fault on a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Return this status without processing the request.
    Status {
        /// HTTP status.
        code: u16,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<f64>,
        /// Body; a plausible error object by default.
        #[serde(default)]
        body: Option<Value>,
    },
    /// Wait, then process the request normally.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Close the connection without a response; the request is not processed.
    Drop,
    /// Process the request, then close the connection without a response.
    LoseAnswer,
    /// Process the request, but truncate the JSON response.
    BrokenJson,
    /// Omit half of the page's rows and its nextLink, but retain `@odata.count`.
    TruncatedPage,
    /// Return an empty page: no rows, no nextLink, count 0.
    EmptyPage,
}

/// A tenant's faults with their counters.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    entries: Vec<(Fault, u32)>,
}

impl FaultBook {
    /// Adds a fault with a new counter.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.entries.push((fault, 0));
    }

    /// Removes all faults.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Counts the request for every matching fault and returns the first fault that applies.
    pub(crate) fn strike(&mut self, method: &str, target: &str) -> Option<FaultKind> {
        let mut struck = None;
        for (fault, seen) in &mut self.entries {
            if !fault.matches.accepts(method, target) {
                continue;
            }
            *seen += 1;
            let strikes =
                *seen >= fault.from_occurrence && *seen - fault.from_occurrence < fault.times;
            if strikes && struck.is_none() {
                struck = Some(fault.kind.clone());
            }
        }
        struck
    }
}

impl FaultMatch {
    fn accepts(&self, method: &str, target: &str) -> bool {
        let method_fits = self
            .method
            .as_ref()
            .is_none_or(|want| want.eq_ignore_ascii_case(method));
        method_fits
            && (target.contains(&self.path_contains)
                || percent_decode_str(target)
                    .decode_utf8_lossy()
                    .contains(&self.path_contains))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_from_the_nth_match_for_so_many_times() {
        let mut book = FaultBook::default();
        book.add(
            Fault::once("/Users", FaultKind::Drop)
                .method("get")
                .at(2, 2),
        );
        let struck: Vec<bool> = ["/Users", "/Courses", "/Users?$skip=1", "/Users", "/Users"]
            .iter()
            .map(|path| book.strike("GET", path).is_some())
            .collect();
        assert_eq!(struck, [false, false, true, true, false]);
        assert!(book.strike("POST", "/Users").is_none());
    }

    #[test]
    fn matches_decoded_targets_too() {
        let mut book = FaultBook::default();
        book.add(Fault::once("uniqueName='x'", FaultKind::Drop));
        assert!(
            book.strike("PATCH", "/groups(uniqueName=%27x%27)")
                .is_some()
        );
    }
}
