//! Counts the requests, so that a run can be compared with the least that it needs.

use std::sync::atomic::{AtomicU64, Ordering};

/// The requests since the client was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GraphStats {
    /// HTTP requests to Graph, including retries and excluding token requests.
    pub http_requests: u64,
    /// The `$batch` requests among them.
    pub batches: u64,
    /// Parts of `$batch` requests.
    pub sub_requests: u64,
    /// Requests and parts that change the directory; these count against the write quota.
    pub writes: u64,
}

impl GraphStats {
    /// Returns the requests as quotas count them: single ones and parts of batches.
    pub fn requests(&self) -> u64 {
        self.http_requests - self.batches + self.sub_requests
    }
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    http_requests: AtomicU64,
    batches: AtomicU64,
    sub_requests: AtomicU64,
    writes: AtomicU64,
}

impl Meter {
    pub(super) fn http_request(&self) {
        self.http_requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn batch_of(&self, count: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.sub_requests.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn writes(&self, count: u32) {
        self.writes.fetch_add(u64::from(count), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> GraphStats {
        GraphStats {
            http_requests: self.http_requests.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            sub_requests: self.sub_requests.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }
}
