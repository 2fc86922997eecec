//! `rollcall describe`: what is in a snapshot file.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rollcall_domain::snapshot::describe::{Description, describe};

use crate::error::Error;

/// What snapshot files are called where the demo leaves them.
pub const EXTENSION: &str = "rcsnap";

/// Describes a file; without one the newest that a demo left below `home`.
///
/// # Errors
/// When there is no file, it cannot be read, or is no snapshot.
pub fn describe_file(file: Option<PathBuf>, home: &Path) -> Result<(PathBuf, Description), Error> {
    let file = match file {
        Some(file) => file,
        None => newest(&home.join("members")).ok_or(
            "no demo has left a snapshot here; name a file, or run ./infra/local/rollcall demo first",
        )?,
    };
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(&file).map_err(|error| told(&error))?;
    let description = describe(&bytes).map_err(|error| told(&error))?;
    Ok((file, description))
}

/// The snapshot file that was written last, in the folders of a folder.
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
        let home = tempfile::tempdir().expect("a folder");
        let error = describe_file(None, home.path()).expect_err("nothing there");
        assert!(error.to_string().starts_with("no demo has left a snapshot"));
        let folder = home.path().join("members/demo-1-1");
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, at) in [("new", 200), ("old", 100)] {
            let file = folder.join(name).with_extension(EXTENSION);
            std::fs::write(&file, "no snapshot").expect("writes");
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at);
            let opened = std::fs::File::options().write(true).open(&file);
            opened.expect("opens").set_modified(at).expect("sets");
        }
        let error = describe_file(None, home.path()).expect_err("no snapshot");
        assert!(
            error
                .to_string()
                .ends_with("new.rcsnap: this is not a snapshot: it does not begin with RCSNAP")
        );
    }
}
