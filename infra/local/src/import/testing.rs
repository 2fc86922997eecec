//! Folders for the tests of the import.

use std::fs;

use tempfile::TempDir;
use uuid::Uuid;

use super::{Imported, read_folder};

/// The tenant tests import into.
pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7e4a_0000_4000_8000_0000_0000_0007);

/// A header that every test row fits.
pub(crate) const USERS: &str =
    "userPrincipalName,displayName,id,mail,accountEnabled,userType,city\n";
/// As [`USERS`], for courses.
pub(crate) const COURSES: &str = "Id,Title,Catalog,CourseType,IsPublished\n";
/// As [`USERS`], for enrolments.
pub(crate) const ENROLMENTS: &str = "User,Course,Status,RegistrationDate,CompletionDate,DueDate\n";

/// A folder with these files, removed when dropped.
pub(crate) fn folder_of(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("writable");
    }
    folder
}

/// What the three files give.
pub(crate) fn import(users: &[u8], courses: &[u8], enrolments: &[u8]) -> Imported {
    let folder = folder_of(&[
        ("users.csv", users),
        ("courses.csv", courses),
        ("enrolments.csv", enrolments),
    ]);
    read_folder(folder.path(), TENANT).expect("usable files")
}

/// The problems of an import as people read them.
pub(crate) fn sentences(imported: &Imported) -> Vec<String> {
    imported.problems.iter().map(ToString::to_string).collect()
}
