//! Checks all log lines of the test run: a test that logs a secret fails.

use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use regex::bytes::Regex;
use tracing_subscriber::EnvFilter;

/// Number of checked lines.
static LINES: AtomicU64 = AtomicU64::new(0);

/// The texts that no line may contain: tokens and codes of the simulated Entra, signed tokens,
/// client secrets, keys, and markup that is part of every mail.
static SECRETS: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = [
        r"sim-(refresh-|code-)?[0-9a-f]{16,}",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"simulated-(service-)?secret",
        r"simulated-key-[0-9a-f]{8}",
        r"c2ltdWxhdGVkLWFjcy1rZXk=",
        r"<html|<!doctype",
        r"(?i)bearer [a-z0-9]",
        r"[?&](code|state)=[A-Za-z0-9-]{16,}",
    ];
    Regex::new(&patterns.join("|")).expect("invalid pattern")
});

/// A writer that checks lines and discards them.
struct Watch;

impl Write for Watch {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        if let Some(found) = SECRETS.find(line) {
            let found = String::from_utf8_lossy(found.as_bytes()).into_owned();
            panic!(
                "a log line contains {found:?}: {}",
                String::from_utf8_lossy(line)
            );
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Begins to check everything that the service's own code logs, at all levels, and what libraries
/// log at the level of the deployed functions.
pub(crate) fn watch() {
    let own = [
        "rollcall_clients",
        "rollcall_runtime",
        "rollcall_profile_api",
        "rollcall_oauth_callback",
        "rollcall_notifier",
        "rollcall_refresh_job",
        "rollcall_maintenance_job",
    ];
    let filter = own.map(|name| format!("{name}=trace")).join(",");
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(EnvFilter::new(format!("info,{filter}")))
        .with_writer(|| Watch)
        .try_init();
    started.expect("a logger is already set");
}

/// Returns the number of lines checked so far.
pub(crate) fn lines() -> u64 {
    LINES.load(Ordering::Relaxed)
}

/// Returns true if a line contains a secret.
pub(crate) fn catches(line: &str) -> bool {
    SECRETS.is_match(line.as_bytes())
}
