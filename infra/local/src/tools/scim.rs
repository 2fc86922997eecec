//! Servers of SCIM and a checker of such, which others wrote: what the tests need of them.

use std::path::{Path, PathBuf};

use super::{Set, ToolsError, install, place_of, whole};

/// A server and the checker, in Python.
const SCIM: Set = Set {
    name: "scim",
    pins: "requirements-scim.txt",
};
/// Another server, for Node.js.
const SCIMMY: Set = Set {
    name: "scimmy",
    pins: "scimmy/package-lock.json",
};

/// What SCIM is tested against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimTools {
    /// Python interpreter that has `scim2_server` and `scim2_tester`.
    pub python: PathBuf,
    /// Folder `node_modules` that has `scimmy`, `scimmy-routers` and `express`.
    pub modules: PathBuf,
}

/// Installs what SCIM is tested against where it is missing.
///
/// # Errors
/// What could not be installed.
pub async fn ensure_scim(
    root: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<ScimTools, ToolsError> {
    let root = whole(root)?;
    tokio::try_join!(
        install(&root, SCIM, progress),
        install(&root, SCIMMY, progress)
    )?;
    Ok(ScimTools {
        python: place_of(&root, SCIM.name).join("bin/python"),
        modules: place_of(&root, SCIMMY.name).join("node_modules"),
    })
}
