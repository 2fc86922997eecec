//! Faults that tests inject: which requests go wrong, from which occurrence, how often and how.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A rule that makes matching requests of one tenant go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests count.
    pub matches: FaultMatch,
    /// First matching request that fails, counted from 1.
    #[serde(default = "first")]
    pub from_occurrence: u32,
    /// How many requests in a row fail from there on; `u32::MAX` for all.
    #[serde(default = "first")]
    pub times: u32,
    /// What happens.
    pub kind: FaultKind,
}

fn first() -> u32 {
    1
}

impl Fault {
    /// A fault that strikes the first request whose path contains `path`, once.
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

    /// The same fault, for one HTTP method only.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.matches.method = Some(method.into());
        self
    }

    /// The same fault, striking `times` requests from the `from`-th matching one.
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

/// What a fault does to the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Answer with this status without doing the work.
    Status {
        /// HTTP status.
        code: u16,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<f64>,
        /// Body; a plausible error object if absent.
        #[serde(default)]
        body: Option<Value>,
    },
    /// Wait, then do the work as usual.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Close the connection without an answer; the work is not done.
    Drop,
    /// Do the work, then close the connection without an answer.
    LoseAnswer,
    /// Do the work, but cut the JSON answer in half.
    BrokenJson,
    /// Leave out half of the page's rows and its nextLink, keep `@odata.count`.
    TruncatedPage,
    /// Answer an empty page: no rows, no nextLink, count 0.
    EmptyPage,
}

/// A tenant's faults with their counters.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    entries: Vec<(Fault, u32)>,
}

impl FaultBook {
    /// Adds a fault with a fresh counter.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.entries.push((fault, 0));
    }

    /// Forgets all faults.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Counts the request in every matching fault and gives the first that strikes.
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
