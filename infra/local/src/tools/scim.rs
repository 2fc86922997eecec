//! Third-party SCIM servers and a SCIM checker for the tests.

use std::path::{Path, PathBuf};

use super::install::{ToolSet, install, install_dir, repository_root};
use crate::error::LocalError;

/// A server and the checker, in Python.
const SCIM: ToolSet = ToolSet {
    name: "scim",
    pins: "requirements-scim.txt",
};
/// Another server, for Node.js.
const SCIMMY: ToolSet = ToolSet {
    name: "scimmy",
    pins: "scimmy/package-lock.json",
};

/// Tools that the SCIM tests use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimTools {
    /// Python interpreter with `scim2_server` and `scim2_tester`.
    pub python: PathBuf,
    /// Folder `node_modules` with `scimmy`, `scimmy-routers` and `express`.
    pub modules: PathBuf,
}

/// Installs the tools of the SCIM tests if they are missing.
///
/// # Errors
/// The tool that could not be installed.
pub async fn ensure_scim(
    root: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<ScimTools, LocalError> {
    let root = repository_root(root)?;
    tokio::try_join!(
        install(&root, SCIM, progress),
        install(&root, SCIMMY, progress)
    )?;
    Ok(ScimTools {
        python: install_dir(&root, SCIM.name).join("bin/python"),
        modules: install_dir(&root, SCIMMY.name).join("node_modules"),
    })
}
