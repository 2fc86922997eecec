//! Builds a simulated world from a folder of an administrator's CSV exports, and reports every row
//! that cannot be used.
//!
//! | file | is | required columns |
//! |---|---|---|
//! | `users.csv` or `exportUsers*.csv` | "Download users" of the Entra admin center | `userPrincipalName`, `displayName`, `id` |
//! | `courses.csv` | the courses of Learn365 | `Title`, `Catalog` |
//! | `enrolments.csv` or `enrollments.csv` | the courses of each user | `User`, `Course`, `Status`, `RegistrationDate` |
//! | `profiles.json` (optional) | a list of profile drafts | |
//!
//! A row with a problem is skipped as a whole and reported; the others are loaded. Only an unusable
//! file (see [`ImportError`]) aborts the import.

mod courses;
mod dates;
mod enrolments;
mod error;
mod folder;
mod header;
mod index;
mod problem;
mod quoted;
mod scan;
mod table;
mod users;
mod value;

use std::path::Path;

use rollcall_simulators::generate::{ROLES, lms_key};
use rollcall_simulators::world::{AppCredential, KeyLevel, LmsKey, TenantSeed, World};
use uuid::Uuid;

pub use error::{HeaderFault, HeaderProblem, ImportError};
pub use folder::MAX_FILE_BYTES;
pub use problem::RowProblem;

pub(crate) use dates::written as written_date;
pub(crate) use users::{ENTRA_COLUMNS, custom_column};

use courses::Courses;
use enrolments::Enrolments;
use folder::Folder;
use table::Table;
use users::Users;

/// Client secret of the imported tenant's application, the same as in generated worlds.
pub const CLIENT_SECRET: &str = "simulated-secret";

/// The content of a folder.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the problems name the rows that are missing from the world"]
pub struct Imported {
    /// The tenant, ready to be loaded into the simulators.
    pub world: World,
    /// The list in `profiles.json`, unchanged; `None` if there is no such file.
    pub profiles: Option<serde_json::Value>,
    /// Problems of rows and header columns that were skipped, in file order.
    pub problems: Vec<RowProblem>,
    /// Numbers of loaded rows.
    pub read: Counts,
}

/// The number of loaded rows of each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Users, including disabled accounts.
    pub people: usize,
    /// Courses.
    pub courses: usize,
    /// Enrolments.
    pub enrolments: usize,
}

/// Reads the exports in `folder` as the tenant `tenant`; the same files result in the same world.
///
/// Every enabled account is also a Learn365 user; disabled accounts exist in Entra only. Ids that
/// no export contains (Learn365 users, catalogs, custom fields, enrolments, courses without `Id`)
/// are derived from names, so that they are the same in every run. The world's application has the
/// secret [`CLIENT_SECRET`], and its Learn365 key is [`lms_key`]`(tenant)`.
///
/// # Errors
/// The folder, a required file or a required column is missing; a file cannot be read or is larger
/// than [`MAX_FILE_BYTES`]; or `profiles.json` is not a JSON list.
pub fn read_folder(folder: &Path, tenant: Uuid) -> Result<Imported, ImportError> {
    let files = Folder::open(folder)?;
    let (users, courses, enrolments) = open_all(&files)?;
    let profiles = files.profiles()?;

    let mut problems = Vec::new();
    let users = Users::read(users, tenant, &mut problems);
    let courses = Courses::read(courses, tenant, &mut problems);
    let enrolments = Enrolments::read(enrolments, tenant, &users, &courses, &mut problems);
    let read = Counts {
        people: users.people.len(),
        courses: courses.rows.len(),
        enrolments: enrolments.len(),
    };
    let domain = users.domain();
    let world = World {
        tenant: TenantSeed {
            id: tenant,
            name: domain.clone(),
            domain,
            region: "us".to_owned(),
        },
        apps: vec![app(tenant)],
        lms_keys: vec![LmsKey {
            key: lms_key(tenant),
            level: KeyLevel::FullControl,
        }],
        people: users.people,
        fields: users.fields,
        catalogs: courses.catalogs,
        courses: courses.rows,
        enrolments,
        ..World::default()
    };
    Ok(Imported {
        world,
        profiles,
        problems,
        read,
    })
}

/// Opens the three tables; returns the problems of all headers if one is invalid.
fn open_all(files: &Folder) -> Result<(Table<'_>, Table<'_>, Table<'_>), ImportError> {
    let users = Table::open(&files.users, &ENTRA_COLUMNS, &users::REQUIRED);
    let courses = Table::open(&files.courses, &courses::COLUMNS, &courses::REQUIRED);
    let enrolments = Table::open(
        &files.enrolments,
        &enrolments::COLUMNS,
        &enrolments::REQUIRED,
    );
    match (users, courses, enrolments) {
        (Ok(users), Ok(courses), Ok(enrolments)) => Ok((users, courses, enrolments)),
        (users, courses, enrolments) => {
            let problems = [users.err(), courses.err(), enrolments.err()];
            Err(ImportError::Headers(
                problems.into_iter().flatten().collect(),
            ))
        }
    }
}

fn app(tenant: Uuid) -> AppCredential {
    AppCredential {
        client_id: Uuid::new_v5(&tenant, b"application"),
        client_secret: CLIENT_SECRET.to_owned(),
        roles: ROLES.map(str::to_owned).to_vec(),
        secret_expired: false,
        disabled: false,
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
