//! The pinned tools of the local stack and its tests: are they current, and if not, installed.

mod scim;

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::process::{self, ProcessGroup};
pub use scim::{ScimTools, ensure_scim};

/// Tools that are installed together, and the file below `infra/local` that pins them.
#[derive(Debug, Clone, Copy)]
struct Set {
    name: &'static str,
    pins: &'static str,
}

/// Two venvs, because the pins of the emulator and of the AWS SAM CLI exclude each other.
const VENVS: [Set; 2] = [
    Set {
        name: "emulator",
        pins: "requirements-emulator.txt",
    },
    Set {
        name: "sam",
        pins: "requirements-sam.txt",
    },
];
/// What drives a browser.
const BROWSER: Set = Set {
    name: "browser",
    pins: "browser/package-lock.json",
};
/// An `OpenID` provider that others wrote.
const OIDC: Set = Set {
    name: "oidc",
    pins: "oidc/package-lock.json",
};
/// What Chromium is called; the same names as in `infra/local/install-tools`.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Names another one.
const CHROMIUM_VARIABLE: &str = "ROLLCALL_CHROMIUM";

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

/// A script for Node.js and what it takes as its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProgram {
    /// The script, which is of this repository.
    pub script: PathBuf,
    /// Its arguments, the module it is about first.
    pub arguments: Vec<PathBuf>,
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
    #[error("installing the {set} tools failed; the whole log is {}:\n{tail}", log.display())]
    Install {
        /// Which set.
        set: &'static str,
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
    let root = whole(root)?;
    let [first, second] = VENVS;
    tokio::try_join!(
        install(&root, first, progress),
        install(&root, second, progress)
    )?;
    Ok(Tools::below(&root))
}

/// Installs what drives a browser, and as root the browser, where they are missing.
/// The program takes commands as `infra/local/browser/drive.mjs` says.
///
/// # Errors
/// What could not be installed; without Chromium, how to install it.
pub async fn ensure_browser(
    root: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<NodeProgram, ToolsError> {
    let root = whole(root)?;
    // Without Chromium the installer has to be asked, and it installs or explains.
    if chromium().is_none() {
        run_installer(&root, BROWSER, progress).await?;
    }
    install(&root, BROWSER, progress).await?;
    let chromium = chromium().ok_or_else(|| ToolsError::Io {
        what: "there is no Chromium".to_owned(),
        source: io::ErrorKind::NotFound.into(),
    })?;
    let module = place_of(&root, BROWSER.name).join("node_modules/playwright-core/index.mjs");
    Ok(NodeProgram {
        script: root.join("infra/local/browser/drive.mjs"),
        arguments: vec![module, chromium],
    })
}

/// Installs the `OpenID` provider where it is missing. The program is told what to
/// serve as `infra/local/oidc/provider.mjs` says.
///
/// # Errors
/// What could not be installed.
pub async fn ensure_oidc(
    root: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<NodeProgram, ToolsError> {
    let root = whole(root)?;
    install(&root, OIDC, progress).await?;
    let module = place_of(&root, OIDC.name).join("node_modules/oidc-provider/lib/index.js");
    Ok(NodeProgram {
        script: root.join("infra/local/oidc/provider.mjs"),
        arguments: vec![module],
    })
}

/// The whole path of the repository.
fn whole(root: &Path) -> Result<PathBuf, ToolsError> {
    root.canonicalize().map_err(|source| ToolsError::Io {
        what: format!("the repository root {} cannot be found", root.display()),
        source,
    })
}

/// The browser of this machine.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var(CHROMIUM_VARIABLE).ok();
    let named = named.as_deref().filter(|name| !name.is_empty());
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let mut names = named.into_iter().chain(CHROMIUM);
    // Joining a path that begins at the root gives that path.
    names.find_map(|name| {
        let mut places = folders.iter().map(|folder| folder.join(name));
        places.find(|place| place.is_file())
    })
}

impl Tools {
    fn below(root: &Path) -> Self {
        let program = |venv: &str, name: &str| place_of(root, venv).join("bin").join(name);
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
    set: Set,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), ToolsError> {
    if is_current(root, set)? {
        return Ok(());
    }
    run_installer(root, set, progress).await
}

async fn run_installer(
    root: &Path,
    set: Set,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), ToolsError> {
    let name = set.name;
    progress(&format!("Installing the {name} tools into .rollcall/"));
    let log = root.join(format!(".rollcall/install-{name}.log"));
    let output = process::log_file(&log).map_err(|source| ToolsError::Io {
        what: format!("{} cannot be written", log.display()),
        source,
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
    // Whoever stops waiting also stops pip and npm.
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
    Err(ToolsError::Install { set, log, tail })
}

fn cannot_start(script: &Path, source: io::Error) -> ToolsError {
    ToolsError::Io {
        what: format!("{} cannot be run", script.display()),
        source,
    }
}

fn is_current(root: &Path, set: Set) -> Result<bool, ToolsError> {
    let file = root.join("infra/local").join(set.pins);
    let pins = std::fs::read(&file).map_err(|source| ToolsError::Io {
        what: format!("{} cannot be read", file.display()),
        source,
    })?;
    let place = place_of(root, set.name);
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

fn place_of(root: &Path, name: &str) -> PathBuf {
    root.join(".rollcall").join(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checkout() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("infra/local")).unwrap();
        fs::create_dir_all(root.path().join(".rollcall/sam")).unwrap();
        for set in VENVS {
            let path = root.path().join("infra/local").join(set.pins);
            fs::write(path, "aws-sam-cli==1\n").unwrap();
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
        let sam = VENVS[1];
        let installed = root.path().join(".rollcall/sam/installed");
        let place = place_of(root.path(), "sam");
        assert!(!is_current(root.path(), sam).unwrap());
        fs::write(&installed, stamp(b"aws-sam-cli==1\n", &place)).unwrap();
        assert!(is_current(root.path(), sam).unwrap());
        fs::write(&installed, stamp(b"aws-sam-cli==0\n", &place)).unwrap();
        assert!(!is_current(root.path(), sam).unwrap());
        fs::write(&installed, stamp(b"aws-sam-cli==1\n", Path::new("/old"))).unwrap();
        assert!(!is_current(root.path(), sam).unwrap());
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
