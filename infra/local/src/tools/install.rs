//! Installation of pinned tools into `.rollcall` if they are missing or outdated.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::error::LocalError;
use crate::process::{self, ProcessGroup};

/// The task named in installation errors.
pub(super) const TASK: &str = "install the local tools";

/// Tools that are installed together, and the file below `infra/local` that pins them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToolSet {
    pub(super) name: &'static str,
    pub(super) pins: &'static str,
}

/// Returns the absolute path of the repository.
pub(super) fn repository_root(root: &Path) -> Result<PathBuf, LocalError> {
    root.canonicalize().map_err(|source| {
        let what = format!("the repository root {} cannot be found", root.display());
        LocalError::io(TASK, what, source)
    })
}

pub(super) async fn install(
    root: &Path,
    set: ToolSet,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), LocalError> {
    if is_current(root, set)? {
        return Ok(());
    }
    run_installer(root, set, progress).await
}

pub(super) async fn run_installer(
    root: &Path,
    set: ToolSet,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), LocalError> {
    let name = set.name;
    progress(&format!("Installing the {name} tools into .rollcall/"));
    let log = root.join(format!(".rollcall/install-{name}.log"));
    let output = process::log_file(&log).map_err(|source| {
        LocalError::io(TASK, format!("{} cannot be written", log.display()), source)
    })?;
    let script = root.join("infra/local/install-tools");
    let mut child = Command::new(&script)
        .arg(name)
        .stdin(Stdio::null())
        .stdout(output.stdout)
        .stderr(output.stderr)
        .process_group(0)
        .spawn()
        .map_err(|source| cannot_start(&script, source))?;
    // Dropping this future also stops pip and npm.
    let group = ProcessGroup::of(child.id());
    let status = child
        .wait()
        .await
        .map_err(|source| cannot_start(&script, source))?;
    group.ended();
    if status.success() && is_current(root, set)? {
        return Ok(());
    }
    let tail = process::tail(&log);
    let set = name;
    Err(LocalError::Program {
        what: format!("installing the {set} tools failed"),
        log,
        tail,
    })
}

fn cannot_start(script: &Path, source: io::Error) -> LocalError {
    LocalError::io(TASK, format!("{} cannot be run", script.display()), source)
}

pub(super) fn is_current(root: &Path, set: ToolSet) -> Result<bool, LocalError> {
    let file = root.join("infra/local").join(set.pins);
    let pins = std::fs::read(&file).map_err(|source| {
        LocalError::io(TASK, format!("{} cannot be read", file.display()), source)
    })?;
    let place = install_dir(root, set.name);
    let found = std::fs::read_to_string(place.join("installed")).unwrap_or_default();
    Ok(found == stamp(&pins, &place))
}

/// Returns the content that `infra/local/install-tools` writes last. It differs if a pin has
/// changed or the checkout was moved.
pub(super) fn stamp(pins: &[u8], place: &Path) -> String {
    format!(
        "{}\n{}\n",
        hex::encode(Sha256::digest(pins)),
        place.display()
    )
}

pub(super) fn install_dir(root: &Path, name: &str) -> PathBuf {
    root.join(".rollcall").join(name)
}
