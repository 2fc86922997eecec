//! Writes the users of a `users.csv` as a member list and prints its cost as a JSON object.

use std::error::Error;
use std::path::PathBuf;

use rollcall_bench::cpu::{millis, peak_memory, timed};
use rollcall_bench::excel::write;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [users, out] = &paths[..] else {
        return Err("two paths are wanted: the users.csv and the workbook".into());
    };
    let (spent, written) = timed(|| write(users, out));
    written?;
    let (spent, memory) = (millis(spent), peak_memory());
    println!("{{\"cpu_ms\":{spent},\"peak_memory_bytes\":{memory}}}");
    Ok(())
}
