//! Structured logs: one JSON object per line, no personal data, no secrets.

use tracing_subscriber::EnvFilter;

/// Starts logging with the filter in `RUST_LOG` (default `info`). Called once per process; later
/// calls have no effect.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
}
