//! The pinned Python tools of the local stack: are they current, and if not, installed.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::process::{self, ProcessGroup};

/// The venvs, each with `infra/local/requirements-<name>.txt`. Two, because
/// the pins of the emulator and of the AWS SAM CLI exclude each other.
const VENVS: [&str; 2] = ["emulator", "sam"];

/// Where the installed programs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// Python interpreter that has the emulator's modules.
    pub python: PathBuf,
    /// The AWS emulator; `python -m ministack` is the same.
    pub ministack: PathBuf,
    /// The AWS SAM CLI.
    pub sam: PathBuf,
    /// Builds for Lambda, both architectures.
    pub cargo_lambda: PathBuf,
    /// Checks templates.
    pub cfn_lint: PathBuf,
    /// Keeps the emulator from outliving this process.
    pub(crate) supervisor: PathBuf,
}

/// Why the tools are not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolsError {
    /// The installer could not be started, or a file of ours not be read.
    #[error("cannot install the local tools: {what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The installer ran and failed.
    #[error("installing the {venv} tools failed; the whole log is {}:\n{tail}", log.display())]
    Install {
        /// Which of the two sets.
        venv: &'static str,
        /// Everything the installer said.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
}

/// Installs what is missing or outdated into `<root>/.rollcall`, both sets at
/// once, and says where the programs are. Milliseconds where all is current,
/// about a minute on a new machine. Safe to call from several processes.
///
/// `progress` hears one sentence per set that has to be installed.
pub async fn ensure(root: &Path, progress: &(dyn Fn(&str) + Sync)) -> Result<Tools, ToolsError> {
    let root = root.canonicalize().map_err(|source| ToolsError::Io {
        what: format!("the repository root {} cannot be found", root.display()),
        source,
    })?;
    let [first, second] = VENVS;
    tokio::try_join!(
        install(&root, first, progress),
        install(&root, second, progress)
    )?;
    Ok(Tools::below(&root))
}

impl Tools {
    fn below(root: &Path) -> Self {
        let program = |venv: &str, name: &str| venv_of(root, venv).join("bin").join(name);
        Self {
            python: program("emulator", "python"),
            ministack: program("emulator", "ministack"),
            sam: program("sam", "sam"),
            cargo_lambda: program("sam", "cargo-lambda"),
            cfn_lint: program("sam", "cfn-lint"),
            supervisor: root.join("infra/local/supervise.py"),
        }
    }
}

async fn install(
    root: &Path,
    venv: &'static str,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), ToolsError> {
    if is_current(root, venv)? {
        return Ok(());
    }
    progress(&format!("Installing the {venv} tools into .rollcall/"));
    let log = root.join(format!(".rollcall/install-{venv}.log"));
    let output = process::log_file(&log).map_err(|source| ToolsError::Io {
        what: format!("{} cannot be written", log.display()),
        source,
    })?;
    let script = root.join("infra/local/install-tools");
    let mut child = Command::new(&script)
        .arg(venv)
        .stdin(Stdio::null())
        .stdout(output.stdout)
        .stderr(output.stderr)
        .process_group(0)
        .spawn()
        .map_err(|source| cannot_start(&script, source))?;
    // Whoever stops waiting also stops pip.
    let group = ProcessGroup::of(child.id());
    let status = child
        .wait()
        .await
        .map_err(|source| cannot_start(&script, source))?;
    group.ended();
    if status.success() && is_current(root, venv)? {
        return Ok(());
    }
    let tail = process::tail(&log);
    Err(ToolsError::Install { venv, log, tail })
}

fn cannot_start(script: &Path, source: io::Error) -> ToolsError {
    ToolsError::Io {
        what: format!("{} cannot be run", script.display()),
        source,
    }
}

fn is_current(root: &Path, venv: &str) -> Result<bool, ToolsError> {
    let requirements = root.join(format!("infra/local/requirements-{venv}.txt"));
    let pins = std::fs::read(&requirements).map_err(|source| ToolsError::Io {
        what: format!("{} cannot be read", requirements.display()),
        source,
    })?;
    let place = venv_of(root, venv);
    let found = std::fs::read_to_string(place.join("installed")).unwrap_or_default();
    Ok(found == stamp(&pins, &place))
}

/// What `infra/local/install-tools` writes last: a changed pin or a moved
/// checkout makes it differ.
fn stamp(pins: &[u8], place: &Path) -> String {
    format!(
        "{}\n{}\n",
        hex::encode(Sha256::digest(pins)),
        place.display()
    )
}

fn venv_of(root: &Path, venv: &str) -> PathBuf {
    root.join(".rollcall").join(venv)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checkout() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("infra/local")).unwrap();
        fs::create_dir_all(root.path().join(".rollcall/sam")).unwrap();
        for venv in VENVS {
            let path = format!("infra/local/requirements-{venv}.txt");
            fs::write(root.path().join(path), "aws-sam-cli==1\n").unwrap();
        }
        root
    }

    fn installer(root: &Path, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = root.join("infra/local/install-tools");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn the_stamp_is_the_hash_and_the_place() {
        assert_eq!(
            stamp(b"", Path::new("/r/.rollcall/sam")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n/r/.rollcall/sam\n"
        );
    }

    #[test]
    fn a_missing_stamp_a_changed_pin_and_a_moved_checkout_are_outdated() {
        let root = checkout();
        let installed = root.path().join(".rollcall/sam/installed");
        let place = venv_of(root.path(), "sam");
        assert!(!is_current(root.path(), "sam").unwrap());
        fs::write(&installed, stamp(b"aws-sam-cli==1\n", &place)).unwrap();
        assert!(is_current(root.path(), "sam").unwrap());
        fs::write(&installed, stamp(b"aws-sam-cli==0\n", &place)).unwrap();
        assert!(!is_current(root.path(), "sam").unwrap());
        fs::write(&installed, stamp(b"aws-sam-cli==1\n", Path::new("/old"))).unwrap();
        assert!(!is_current(root.path(), "sam").unwrap());
    }

    #[tokio::test]
    async fn what_the_installer_said_is_in_the_error() {
        let root = checkout();
        installer(
            root.path(),
            "#!/bin/sh\necho 'no such package' >&2\nexit 1\n",
        );
        let error = ensure(root.path(), &|_| ()).await.unwrap_err();
        assert!(error.to_string().contains("no such package"), "{error}");
    }

    #[tokio::test]
    async fn an_installer_that_claims_success_without_a_stamp_is_not_believed() {
        let root = checkout();
        installer(root.path(), "#!/bin/sh\nexit 0\n");
        let error = ensure(root.path(), &|_| ()).await.unwrap_err();
        assert!(matches!(error, ToolsError::Install { .. }), "{error}");
    }
}
