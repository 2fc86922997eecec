//! Measures a computation: CPU time and peak memory of this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns the CPU time of all threads of this process so far.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Runs a closure; returns its CPU time and its result, which is not dropped yet.
pub fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let before = spent();
    let made = std::hint::black_box(run());
    (spent().saturating_sub(before), made)
}

/// Returns the peak memory of this process in bytes (`VmHWM` of Linux); 0 if the system does not
/// provide it.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1_024
}

/// Returns milliseconds with fraction.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
