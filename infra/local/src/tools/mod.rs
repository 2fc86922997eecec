//! The pinned tools of the local stack and its tests, installed if they are missing or outdated.

mod install;
mod scim;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::error::LocalError;
use install::{TASK, ToolSet, install, install_dir, repository_root, run_installer};
pub use scim::{ScimTools, ensure_scim};

/// Two virtual environments, because the pins of the emulator and of the AWS SAM CLI conflict.
const VENVS: [ToolSet; 2] = [
    ToolSet {
        name: "emulator",
        pins: "requirements-emulator.txt",
    },
    ToolSet {
        name: "sam",
        pins: "requirements-sam.txt",
    },
];
/// The tool that controls a browser.
const BROWSER: ToolSet = ToolSet {
    name: "browser",
    pins: "browser/package-lock.json",
};
/// A third-party `OpenID` provider.
const OIDC: ToolSet = ToolSet {
    name: "oidc",
    pins: "oidc/package-lock.json",
};
/// Names of the Chromium program, the same as in `infra/local/install-tools`.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// The variable with another path or name.
const CHROMIUM_VARIABLE: &str = "ROLLCALL_CHROMIUM";

/// Paths of the installed programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// Python interpreter with the emulator's modules.
    pub python: PathBuf,
    /// The AWS emulator, equivalent to `python -m ministack`.
    pub ministack: PathBuf,
    /// The AWS SAM CLI.
    pub sam: PathBuf,
    /// Builds for Lambda, for both architectures.
    pub cargo_lambda: PathBuf,
    /// Checks templates.
    pub cfn_lint: PathBuf,
    /// Ends the emulator when this process ends.
    pub(crate) supervisor: PathBuf,
}

/// A script for Node.js and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProgram {
    /// The script, part of this repository.
    pub script: PathBuf,
    /// Its arguments; the first is the module that it uses.
    pub arguments: Vec<PathBuf>,
}

/// Installs missing or outdated tools into `<root>/.rollcall`, both sets in parallel, and returns
/// their paths. Takes milliseconds if all are current, about a minute on a new machine. Several
/// processes can call it concurrently.
///
/// `progress` receives one sentence per set that must be installed.
pub async fn ensure(root: &Path, progress: &(dyn Fn(&str) + Sync)) -> Result<Tools, LocalError> {
    let root = repository_root(root)?;
    let [first, second] = VENVS;
    tokio::try_join!(
        install(&root, first, progress),
        install(&root, second, progress)
    )?;
    Ok(Tools::below(&root))
}

/// Installs the tool that controls a browser and, as root, the browser, if they are missing. The
/// program's commands are described in `infra/local/browser/drive.mjs`.
///
/// # Errors
/// The tool that could not be installed; without Chromium, how to install it.
pub async fn ensure_browser(
    root: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<NodeProgram, LocalError> {
    let root = repository_root(root)?;
    // Without Chromium the installer must run: it installs Chromium or explains how to.
    if chromium().is_none() {
        run_installer(&root, BROWSER, progress).await?;
    }
    install(&root, BROWSER, progress).await?;
    let chromium = chromium().ok_or_else(|| {
        LocalError::io(
            TASK,
            "Chromium is not installed",
            io::ErrorKind::NotFound.into(),
        )
    })?;
    let module = install_dir(&root, BROWSER.name).join("node_modules/playwright-core/index.mjs");
    Ok(NodeProgram {
        script: root.join("infra/local/browser/drive.mjs"),
        arguments: vec![module, chromium],
    })
}

/// Installs the `OpenID` provider if it is missing. The program's arguments are described in
/// `infra/local/oidc/provider.mjs`.
///
/// # Errors
/// The tool that could not be installed.
pub async fn ensure_oidc(
    root: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<NodeProgram, LocalError> {
    let root = repository_root(root)?;
    install(&root, OIDC, progress).await?;
    let module = install_dir(&root, OIDC.name).join("node_modules/oidc-provider/lib/index.js");
    Ok(NodeProgram {
        script: root.join("infra/local/oidc/provider.mjs"),
        arguments: vec![module],
    })
}

/// Returns the path of this machine's browser.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var(CHROMIUM_VARIABLE).ok();
    let named = named.as_deref().filter(|name| !name.is_empty());
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let mut names = named.into_iter().chain(CHROMIUM);
    // Joining an absolute path returns that path.
    names.find_map(|name| {
        let mut places = folders.iter().map(|folder| folder.join(name));
        places.find(|place| place.is_file())
    })
}

impl Tools {
    fn below(root: &Path) -> Self {
        let program = |venv: &str, name: &str| install_dir(root, venv).join("bin").join(name);
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::install::{is_current, stamp};
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
        let place = install_dir(root.path(), "sam");
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
        assert!(matches!(error, LocalError::Program { .. }), "{error}");
    }
}
