//! Child processes: their output, and how they end with this process.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Command, Stdio},
};

/// Number of log lines in an error message.
const TAIL_LINES: usize = 30;

/// Both output streams of a child, written to one file.
pub(crate) struct Output {
    pub(crate) stdout: Stdio,
    pub(crate) stderr: Stdio,
}

/// Creates an empty log file and its folder.
pub(crate) fn log_file(path: &Path) -> io::Result<Output> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Appending prevents the two streams from overwriting each other.
    File::create(path)?;
    let file = File::options().append(true).open(path)?;
    Ok(Output {
        stdout: file.try_clone()?.into(),
        stderr: file.into(),
    })
}

/// Returns the last lines of a log, or nothing if it cannot be read.
pub(crate) fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// A child that leads its own process group. Dropping this value ends the whole group.
pub(crate) struct ProcessGroup {
    leader: Option<u32>,
}

impl ProcessGroup {
    /// `leader` is the child's process id, `None` once the child has ended.
    pub(crate) fn of(leader: Option<u32>) -> Self {
        Self { leader }
    }

    /// Disarms the group: the child has ended, and its id may be reused.
    pub(crate) fn ended(mut self) {
        self.leader = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // The program, because the system call requires unsafe code. If the program is missing,
            // nothing else can be done while unwinding.
            let _ = Command::new("kill")
                .args(["-TERM", "--", &format!("-{leader}")])
                .stderr(Stdio::null())
                .status();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::CommandExt, time::Duration};

    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<String> = (1..=40).map(|n| format!("line {n}")).collect();
        fs::write(log.path(), lines.join("\n")).unwrap();
        let tail = tail(log.path());
        assert!(tail.starts_with("line 11\n"), "{tail}");
        assert!(tail.ends_with("line 40"), "{tail}");
    }

    #[test]
    fn giving_up_ends_the_grandchildren_too() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("new/log");
        let output = log_file(&log).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "sleep 300 & echo $!; wait"])
            .stdout(output.stdout)
            .process_group(0)
            .spawn()
            .unwrap();
        let grandchild = loop {
            match fs::read_to_string(&log).unwrap().trim() {
                "" => std::thread::sleep(Duration::from_millis(10)),
                pid => break pid.to_owned(),
            }
        };
        drop(ProcessGroup::of(Some(child.id())));
        assert!(!child.wait().unwrap().success());
        let running = || {
            fs::read_to_string(format!("/proc/{grandchild}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        for _ in 0..100 {
            if !running() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("process {grandchild} is still running");
    }
}
