//! `rollcall describe`: the content of a snapshot file.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rollcall_domain::snapshot::describe::{Description, describe};

use crate::error::Error;

/// File name extension of snapshots in the demo's folder.
pub const EXTENSION: &str = "rcsnap";

/// Describes a file, by default the newest one that a demo stored below `home`.
///
/// # Errors
/// If there is no file, or it cannot be read or is not a snapshot.
pub fn describe_file(file: Option<PathBuf>, home: &Path) -> Result<(PathBuf, Description), Error> {
    let file = match file {
        Some(file) => file,
        None => newest(&home.join("members")).ok_or(
            "there is no snapshot of a demo; specify a file, or run ./infra/local/rollcall demo first",
        )?,
    };
    let with_file = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(&file).map_err(|error| with_file(&error))?;
    let description = describe(&bytes).map_err(|error| with_file(&error))?;
    Ok((file, description))
}

/// Returns the most recently written snapshot file in the subfolders of a folder.
fn newest(folder: &Path) -> Option<PathBuf> {
    let inside = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    };
    let written = |file: &PathBuf| -> Option<SystemTime> { file.metadata().ok()?.modified().ok() };
    inside(folder)
        .flat_map(|folder| inside(&folder).collect::<Vec<_>>())
        .filter(|file| file.extension().is_some_and(|it| it == EXTENSION))
        .max_by_key(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_newest_that_is_there_is_taken() {
        let home = tempfile::tempdir().expect("no folder created");
        let error = describe_file(None, home.path()).expect_err("a file was found");
        assert!(
            error
                .to_string()
                .starts_with("there is no snapshot of a demo")
        );
        let folder = home.path().join("members/demo-1-1");
        std::fs::create_dir_all(&folder).expect("no folder created");
        for (name, at) in [("new", 200), ("old", 100)] {
            let file = folder.join(name).with_extension(EXTENSION);
            std::fs::write(&file, "no snapshot").expect("file not written");
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at);
            let opened = std::fs::File::options().write(true).open(&file);
            opened
                .expect("file not opened")
                .set_modified(at)
                .expect("time not set");
        }
        let error = describe_file(None, home.path()).expect_err("was read as a snapshot");
        assert!(
            error
                .to_string()
                .ends_with("new.rcsnap: this is not a snapshot: it does not begin with RCSNAP")
        );
    }
}
