//! Test helpers for imports from folders.

use std::fs;

use tempfile::TempDir;
use uuid::Uuid;

use super::{Imported, read_folder};

/// The tenant of the tests.
pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7e4a_0000_4000_8000_0000_0000_0007);

/// The header line of all test rows for users.
pub(crate) const USERS: &str =
    "userPrincipalName,displayName,id,mail,accountEnabled,userType,city\n";
/// The same for courses.
pub(crate) const COURSES: &str = "Id,Title,Catalog,CourseType,IsPublished\n";
/// The same for enrolments.
pub(crate) const ENROLMENTS: &str = "User,Course,Status,RegistrationDate,CompletionDate,DueDate\n";

/// Creates a folder with these files, which is removed when dropped.
pub(crate) fn folder_of(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("no temporary folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("file not written");
    }
    folder
}

/// Imports the three files.
pub(crate) fn import(users: &[u8], courses: &[u8], enrolments: &[u8]) -> Imported {
    let folder = folder_of(&[
        ("users.csv", users),
        ("courses.csv", courses),
        ("enrolments.csv", enrolments),
    ]);
    read_folder(folder.path(), TENANT).expect("folder not imported")
}

/// Returns the problems of an import as messages.
pub(crate) fn sentences(imported: &Imported) -> Vec<String> {
    imported.problems.iter().map(ToString::to_string).collect()
}
