//! The emulator's Lambda processes and their peak memory.

use std::collections::BTreeMap;
use std::fs;

/// One Lambda process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaProcess {
    /// Process id.
    pub pid: u32,
    /// The function's name.
    pub function: String,
    /// Peak memory in KiB.
    pub peak_kib: u64,
}

/// Returns the Lambda processes of the emulator at this endpoint.
pub fn lambdas(endpoint: &str) -> Vec<LambdaProcess> {
    let Ok(folders) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    folders
        .flatten()
        .filter_map(|folder| folder.file_name().to_str()?.parse().ok())
        .filter_map(|pid| inspect(pid, endpoint))
        .collect()
}

fn inspect(pid: u32, endpoint: &str) -> Option<LambdaProcess> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let variables: BTreeMap<&str, &str> = environment
        .split(|byte| *byte == 0)
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .collect();
    if variables.get("AWS_ENDPOINT_URL").copied() != Some(endpoint) {
        return None;
    }
    let function = (*variables.get("AWS_LAMBDA_FUNCTION_NAME")?).to_owned();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak_kib = peak.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(LambdaProcess {
        pid,
        function,
        peak_kib,
    })
}

/// Returns the peak memory per function, in MiB, rounded up.
pub fn peaks(endpoint: &str) -> BTreeMap<String, u64> {
    let mut peaks = BTreeMap::new();
    for process in lambdas(endpoint) {
        let peak: &mut u64 = peaks.entry(process.function).or_default();
        *peak = (*peak).max(process.peak_kib.div_ceil(1024));
    }
    peaks
}
