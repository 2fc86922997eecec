//! Compares the stored snapshot with the same rows as JSON compressed by zstd.

use std::io;
use std::time::Duration;

use rollcall_domain::snapshot::lms::LmsData;

use crate::cpu::{millis, timed};
use crate::ours::{load, store};
use crate::workload::{Sizes, Workload};

/// The required ratios of decoding time and size.
const FASTER: f64 = 50.0;
const SMALLER: f64 = 2.5;
const LEVEL: i32 = 3;

/// Measures and prints.
///
/// # Errors
/// If a value cannot be encoded or decoded.
pub fn run(sizes: Sizes, rounds: u32) -> io::Result<()> {
    let workload = Workload::new(sizes);
    let snapshot = workload.snapshot();
    let (written, ours) = timed(|| store(&snapshot));
    let ours = ours?;
    let json = json(&workload.data)?;
    if load(&ours)? != snapshot || unpack(&json)? != workload.data {
        return Err(io::Error::other("what was read is not what was written"));
    }
    drop((snapshot, workload));
    let (mut fast, mut slow) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds.max(1) {
        fast = fast.min(timed(|| load(&ours)).0);
        slow = slow.min(timed(|| unpack(&json)).0);
    }
    println!("{:<22}{:>14}{:>16}", "", "bytes", "decode CPU ms");
    println!("{:<22}{:>14}{:>16.2}", "ours", ours.len(), millis(fast));
    println!(
        "{:<22}{:>14}{:>16.2}",
        "JSON + zstd 3",
        json.len(),
        millis(slow)
    );
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    let smaller = json.len() as f64 / ours.len() as f64;
    let faster = slow.as_secs_f64() / fast.as_secs_f64();
    verdict("times faster", faster, FASTER);
    verdict("times smaller", smaller, SMALLER);
    println!("encoding ours took {:.2} ms of CPU", millis(written));
    Ok(())
}

fn verdict(what: &str, found: f64, target: f64) {
    let word = if found >= target { "ok" } else { "not" };
    println!("{found:.1} {what}, {target} wanted: {word}");
}

fn json(data: &LmsData) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(&serde_json::to_vec(data)?, LEVEL)
}

fn unpack(bytes: &[u8]) -> io::Result<LmsData> {
    Ok(serde_json::from_slice(&zstd::stream::decode_all(bytes)?)?)
}
