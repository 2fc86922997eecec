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
        // Every batch is counted together with its HTTP request, just before it is sent; the two
        // counters are read one after the other, so a batch may appear in one of them only.
        self.http_requests.saturating_sub(self.batches) + self.sub_requests
    }
}

/// The number of requests in a `$batch`.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchSize {
    pub(super) parts: usize,
    /// The parts that change the directory.
    pub(super) writes: u32,
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    http_requests: AtomicU64,
    batches: AtomicU64,
    sub_requests: AtomicU64,
    writes: AtomicU64,
}

impl Meter {
    /// Counts a request that is about to be sent, with the parts of a batch.
    pub(super) fn http_request(&self, batch: Option<BatchSize>) {
        self.http_requests.fetch_add(1, Ordering::Relaxed);
        if let Some(BatchSize { parts, writes }) = batch {
            self.batches.fetch_add(1, Ordering::Relaxed);
            self.sub_requests.fetch_add(parts as u64, Ordering::Relaxed);
            self.writes(writes);
        }
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
