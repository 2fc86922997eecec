//! Finding and reading the files of an import.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::error::ImportError;

/// Largest file that is imported, in bytes: about 700,000 users with values in every column of the
/// Entra export, or two million enrolments.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// A file's name and its content, without a byte order mark.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// The files of one import.
pub(super) struct Folder {
    pub(super) users: Source,
    pub(super) courses: Source,
    pub(super) enrolments: Source,
    profiles: Option<Source>,
}

impl Folder {
    /// Reads the required files, and `profiles.json` if it exists.
    pub(super) fn open(folder: &Path) -> Result<Self, ImportError> {
        let names = names(folder).map_err(|source| ImportError::Folder {
            folder: folder.to_owned(),
            source,
        })?;
        let users = one(&names, |name| {
            let is_csv = Path::new(name).extension() == Some("csv".as_ref());
            name == "users.csv" || (name.starts_with("exportusers") && is_csv)
        })?;
        let courses = one(&names, |name| name == "courses.csv")?;
        let enrolments = one(&names, |name| {
            name == "enrolments.csv" || name == "enrollments.csv"
        })?;
        let profiles = one(&names, |name| name == "profiles.json")?;
        let read = |name: &String| read(folder, name);
        match (users, courses, enrolments) {
            (Some(users), Some(courses), Some(enrolments)) => Ok(Self {
                users: read(users)?,
                courses: read(courses)?,
                enrolments: read(enrolments)?,
                profiles: profiles.map(read).transpose()?,
            }),
            (users, courses, enrolments) => {
                let wanted = [
                    (users, "users.csv"),
                    (courses, "courses.csv"),
                    (enrolments, "enrolments.csv"),
                ];
                let missing = wanted.into_iter().filter(|(found, _)| found.is_none());
                Err(ImportError::MissingFiles {
                    folder: folder.to_owned(),
                    files: missing.map(|(_, name)| name).collect(),
                })
            }
        }
    }

    /// Returns the list in `profiles.json`.
    pub(super) fn profiles(&self) -> Result<Option<serde_json::Value>, ImportError> {
        let Some(source) = &self.profiles else {
            return Ok(None);
        };
        let refuse = |problem: String| Err(ImportError::Profiles { problem });
        match serde_json::from_slice(&source.bytes) {
            Ok(list @ serde_json::Value::Array(_)) => Ok(Some(list)),
            Ok(_) => refuse("it contains one value that is not a list".to_owned()),
            Err(error) => refuse(error.to_string()),
        }
    }
}

/// Returns the names of the regular files in the folder, sorted.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns the file whose lower-case name matches, if any; several matches are an error.
fn one(names: &[String], fits: impl Fn(&str) -> bool) -> Result<Option<&String>, ImportError> {
    let fitting: Vec<&String> = names
        .iter()
        .filter(|name| fits(&name.to_lowercase()))
        .collect();
    if fitting.len() > 1 {
        return Err(ImportError::SeveralFiles {
            files: fitting.into_iter().cloned().collect(),
        });
    }
    Ok(fitting.first().copied())
}

fn read(folder: &Path, name: &str) -> Result<Source, ImportError> {
    let failed = |source| ImportError::Read {
        file: name.to_owned(),
        source,
    };
    let too_large = |bytes| ImportError::TooLarge {
        file: name.to_owned(),
        bytes,
        limit: MAX_FILE_BYTES,
    };
    let file = File::open(folder.join(name)).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > MAX_FILE_BYTES {
        return Err(too_large(size));
    }
    let mut bytes = Vec::new();
    // The file may have grown since its size was read.
    let mut bounded = file.take(MAX_FILE_BYTES + 1);
    let size = bounded.read_to_end(&mut bytes).map_err(failed)? as u64;
    if size > MAX_FILE_BYTES {
        return Err(too_large(size));
    }
    if bytes.starts_with(UTF8_BOM) {
        bytes.drain(..UTF8_BOM.len());
    }
    Ok(Source {
        name: name.to_owned(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn error(folder: &Path) -> ImportError {
        match Folder::open(folder) {
            Ok(_) => panic!("the folder was accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn names_what_is_missing_all_at_once() {
        let folder = testing::folder_of(&[("courses.csv", b"Title,Catalog\n")]);
        assert_eq!(
            error(folder.path()).to_string(),
            format!(
                "{} lacks users.csv and enrolments.csv; if there is nothing to import, add a file \
                 with only the header line",
                folder.path().display()
            )
        );
        let nowhere = folder.path().join("nowhere");
        assert!(matches!(
            error(&nowhere),
            ImportError::Folder { folder, .. } if folder == nowhere
        ));
    }

    #[test]
    fn takes_the_vendors_file_names_in_any_case() {
        let folder = testing::folder_of(&[
            ("exportUsers_2026-5-28.CSV", b"u"),
            ("Courses.csv", b"c"),
            ("Enrollments.csv", b"e"),
            (
                "exportUsers_2026-5-28.xlsx",
                b"the same, saved by a spreadsheet",
            ),
        ]);
        let files = Folder::open(folder.path()).expect("files are missing");
        assert_eq!(files.users.name, "exportUsers_2026-5-28.CSV");
        assert_eq!(files.enrolments.bytes, b"e");
        assert!(files.profiles.is_none());
    }

    #[test]
    fn refuses_to_guess_between_two_exports() {
        let folder = testing::folder_of(&[
            ("users.csv", b""),
            ("exportUsers_1.csv", b""),
            ("courses.csv", b""),
            ("enrolments.csv", b""),
        ]);
        assert_eq!(
            error(folder.path()).to_string(),
            "exportUsers_1.csv and users.csv have the same purpose; keep only one of them in the folder"
        );
    }

    #[test]
    fn refuses_a_file_over_the_bound_without_reading_it() {
        let folder = testing::folder_of(&[
            ("users.csv", b""),
            ("courses.csv", b""),
            ("enrolments.csv", b""),
        ]);
        let file = File::create(folder.path().join("courses.csv")).expect("file not written");
        file.set_len(MAX_FILE_BYTES + 1).expect("file not resized");
        assert!(matches!(
            error(folder.path()),
            ImportError::TooLarge { file, bytes, limit }
                if file == "courses.csv" && bytes == limit + 1
        ));
    }

    #[test]
    fn profiles_are_a_list_or_an_error() {
        let profiles = |text: &str| {
            let folder = testing::folder_of(&[
                ("users.csv", b""),
                ("courses.csv", b""),
                ("enrolments.csv", b""),
                ("profiles.json", text.as_bytes()),
            ]);
            let files = Folder::open(folder.path()).expect("files are missing");
            files.profiles().map_err(|error| error.to_string())
        };
        assert_eq!(
            profiles("\u{feff}[{\"title\": \"A\"}]"),
            Ok(Some(serde_json::json!([{"title": "A"}])))
        );
        assert_eq!(
            profiles("{}"),
            Err("profiles.json must be a JSON list of profile drafts: \
                 it contains one value that is not a list"
                .to_owned())
        );
        let broken = profiles("[\n{]").expect_err("invalid JSON was accepted");
        assert!(broken.ends_with("at line 2 column 2"), "{broken}");
    }
}
