//! Writes a world in the format of the CSV exports that the import reads. The sample folder is
//! generated with it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use rollcall_simulators::generate::WorldSpec;
use rollcall_simulators::world::{Course, CourseType, Person, Progress, UserType, World};
use uuid::Uuid;

use crate::import::{ENTRA_COLUMNS, custom_column, written_date};

/// Returns the specification of the sample folder: 300 users, 12 courses and about 900 enrolments.
///
/// Its names are harmless (those of the generator include spreadsheet formulas, and samples are
/// opened in spreadsheets), and every user is in both directories, as in the exports.
pub fn spec() -> WorldSpec {
    WorldSpec {
        seed: 300,
        users: 300,
        courses: 12,
        catalogs: 3,
        enrolments_per_user: 3.2,
        groups: 0,
        entra_only_percent: 0,
        lms_only_percent: 0,
        nasty_percent: 0,
        ..WorldSpec::default()
    }
}

/// Writes `users.csv`, `courses.csv` and `enrolments.csv` into `folder`, which is created if it
/// does not exist; existing files are replaced.
///
/// The exports cannot represent users without an Entra account, deleted courses, managers, employee
/// numbers and hire dates (other than as custom fields), Learn365 ids, groups and behaviour: these
/// are omitted, as are enrolments of users who are missing or disabled. Values are written
/// unchanged, including formulas.
///
/// # Errors
/// The folder or a file in it cannot be written.
pub fn write_folder(folder: &Path, world: &World) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    write_users(&folder.join("users.csv"), world)?;
    write_courses(&folder.join("courses.csv"), world)?;
    write_enrolments(&folder.join("enrolments.csv"), world)
}

fn write_users(path: &Path, world: &World) -> io::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    let columns = ENTRA_COLUMNS.map(str::to_owned).into_iter();
    file.write_record(columns.chain(world.fields.iter().map(custom_column)))?;
    for person in &world.people {
        let Some(id) = person.object_id else {
            continue;
        };
        let entra = ENTRA_COLUMNS.iter().map(|column| cell(person, id, column));
        let custom = world.fields.iter().map(|field| {
            let value = person.custom.get(&field.id);
            Cow::Borrowed(value.map_or("", String::as_str))
        });
        let row: Vec<Cow<'_, str>> = entra.chain(custom).collect();
        file.write_record(row.iter().map(AsRef::<str>::as_ref))?;
    }
    file.flush()
}

/// Returns the value of a user in one of the export's columns.
fn cell<'p>(person: &'p Person, id: Uuid, column: &str) -> Cow<'p, str> {
    let value = match column {
        "userPrincipalName" => Some(&person.upn),
        "displayName" => Some(&person.display_name),
        "surname" => person.surname.as_ref(),
        "mail" => person.mail.as_ref(),
        "givenName" => person.given_name.as_ref(),
        "id" => return Cow::Owned(id.to_string()),
        "userType" => return Cow::Borrowed(user_type(person.user_type)),
        "accountEnabled" => return Cow::Borrowed(entra_boolean(person.account_enabled)),
        "jobTitle" => person.job_title.as_ref(),
        "department" => person.department.as_ref(),
        "country" => person.country.as_ref(),
        "officeLocation" => person.office.as_ref(),
        "city" => person.city.as_ref(),
        "companyName" => person.company.as_ref(),
        _ => None,
    };
    Cow::Borrowed(value.map_or("", String::as_str))
}

fn write_courses(path: &Path, world: &World) -> io::Result<()> {
    let catalogs: HashMap<Uuid, &str> = world
        .catalogs
        .iter()
        .map(|catalog| (catalog.id, catalog.title.as_str()))
        .collect();
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(["Id", "Title", "Catalog", "CourseType", "IsPublished"])?;
    for course in live(world) {
        file.write_record([
            course.id.to_string().as_str(),
            &course.title,
            catalogs.get(&course.catalog_id).copied().unwrap_or(""),
            course_type(course.course_type),
            if course.published { "true" } else { "false" },
        ])?;
    }
    file.flush()
}

fn write_enrolments(path: &Path, world: &World) -> io::Result<()> {
    let learners: HashMap<Uuid, &str> = world
        .people
        .iter()
        .filter(|person| person.account_enabled && person.object_id.is_some())
        .filter_map(|person| Some((person.lms_id?, person.upn.as_str())))
        .collect();
    let courses = course_names(world);
    let mut file = csv::Writer::from_path(path)?;
    file.write_record([
        "User",
        "Course",
        "Status",
        "RegistrationDate",
        "CompletionDate",
        "DueDate",
    ])?;
    for row in &world.enrolments {
        let (Some(user), Some(course)) =
            (learners.get(&row.lms_user_id), courses.get(&row.course_id))
        else {
            continue;
        };
        file.write_record([
            *user,
            course,
            progress(row.status),
            &written_date(row.registered_at),
            &row.completed_at.map(written_date).unwrap_or_default(),
            &row.due_at.map(written_date).unwrap_or_default(),
        ])?;
    }
    file.flush()
}

fn live(world: &World) -> impl Iterator<Item = &Course> {
    world.courses.iter().filter(|course| !course.deleted)
}

/// Returns the title of each course, or its id if the title is ambiguous.
fn course_names(world: &World) -> HashMap<Uuid, String> {
    let key = |course: &Course| course.title.trim().to_lowercase();
    let (mut once, mut again) = (HashSet::new(), HashSet::new());
    for title in live(world).map(key) {
        if !once.insert(title.clone()) {
            again.insert(title);
        }
    }
    let name = |course: &Course| {
        if again.contains(&key(course)) {
            course.id.to_string()
        } else {
            course.title.clone()
        }
    };
    live(world)
        .map(|course| (course.id, name(course)))
        .collect()
}

/// Formats a boolean as the Entra admin center does.
fn entra_boolean(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn user_type(kind: UserType) -> &'static str {
    match kind {
        UserType::Member => "Member",
        UserType::Guest => "Guest",
    }
}

fn course_type(kind: CourseType) -> &'static str {
    match kind {
        CourseType::ELearning => "ELearning",
        CourseType::ClassRoom => "ClassRoom",
        CourseType::Webinar => "Webinar",
        CourseType::TrainingPlan => "TrainingPlan",
    }
}

fn progress(status: Progress) -> &'static str {
    match status {
        Progress::Completed => "Completed",
        Progress::InProgress => "In progress",
        Progress::NotStarted => "Not started",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Utc};
    use rollcall_simulators::generate;

    use super::*;
    use crate::import::testing::{TENANT, sentences};
    use crate::import::{Imported, read_folder};

    /// If this variable is set, the sample test writes the sample instead of comparing it.
    const BLESS: &str = "ROLLCALL_BLESS";

    fn through_files(world: &World) -> Imported {
        let folder = tempfile::tempdir().expect("no temporary folder");
        write_folder(folder.path(), world).expect("file not written");
        read_folder(folder.path(), TENANT).expect("folder not imported")
    }

    /// Returns the users, reduced to the fields that the exports contain, with names in place of
    /// ids.
    fn people(world: &World) -> BTreeMap<Uuid, (Person, BTreeMap<String, String>)> {
        let custom = |person: &Person| {
            let named = world.fields.iter().filter_map(|field| {
                let title = format!("{} {:?}", field.title, field.kind);
                Some((title, person.custom.get(&field.id)?.clone()))
            });
            named.collect()
        };
        let people = world.people.iter().filter_map(|person| {
            let plain = Person {
                lms_id: None,
                employee_id: None,
                hire_date: None,
                manager: None,
                custom: BTreeMap::new(),
                ..person.clone()
            };
            Some((person.object_id?, (plain, custom(person))))
        });
        people.collect()
    }

    /// Returns the existing courses by id, with catalogs by title.
    fn courses(world: &World) -> BTreeMap<Uuid, (String, Course)> {
        let catalog = |id| {
            world
                .catalogs
                .iter()
                .find(|it| it.id == id)
                .expect("no such catalog")
                .title
                .clone()
        };
        let plain = |course: &Course| Course {
            catalog_id: Uuid::nil(),
            ..course.clone()
        };
        live(world)
            .map(|course| (course.id, (catalog(course.catalog_id), plain(course))))
            .collect()
    }

    type Row = (
        Uuid,
        Uuid,
        String,
        DateTime<Utc>,
        Option<DateTime<Utc>>,
        Option<DateTime<Utc>>,
    );

    /// Returns the enrolments of enabled Entra accounts in existing courses, in file order.
    fn enrolments(world: &World) -> Vec<Row> {
        let learners = world.people.iter().filter(|person| person.account_enabled);
        let learners: HashMap<_, _> = learners
            .filter_map(|person| Some((person.lms_id?, person.object_id?)))
            .collect();
        let live: HashSet<Uuid> = live(world).map(|course| course.id).collect();
        let rows = world
            .enrolments
            .iter()
            .filter(|row| live.contains(&row.course_id));
        rows.filter_map(|row| {
            let person = *learners.get(&row.lms_user_id)?;
            let status = format!("{:?}", row.status);
            Some((
                person,
                row.course_id,
                status,
                row.registered_at,
                row.completed_at,
                row.due_at,
            ))
        })
        .collect()
    }

    #[test]
    fn a_world_comes_back_from_its_files() {
        for seed in 1..6 {
            let world = generate::world(&WorldSpec {
                seed,
                users: 600,
                courses: 40,
                nasty_percent: 50,
                ..WorldSpec::default()
            });
            let imported = through_files(&world);
            assert_eq!(sentences(&imported), [""; 0], "seed {seed}");
            let back = &imported.world;
            assert_eq!(people(back), people(&world), "seed {seed}");
            assert_eq!(courses(back), courses(&world), "seed {seed}");
            assert_eq!(enrolments(back), enrolments(&world), "seed {seed}");
            assert!(!back.enrolments.is_empty());
            let column = |it: &World| it.fields.iter().map(custom_column).collect::<Vec<_>>();
            assert_eq!(column(back), column(&world));
            assert_eq!(
                through_files(back),
                imported,
                "a second round trip lost data"
            );
        }
    }

    #[test]
    fn courses_of_one_title_are_named_by_their_ids() {
        let mut world = generate::world(&WorldSpec {
            users: 50,
            courses: 3,
            ..WorldSpec::default()
        });
        world.courses[1].title = world.courses[0].title.to_uppercase();
        let imported = through_files(&world);
        assert_eq!(sentences(&imported), [""; 0]);
        assert_eq!(enrolments(&imported.world), enrolments(&world));
    }

    #[test]
    fn the_sample_is_what_the_generator_makes() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
        let world = generate::world(&spec());
        if std::env::var_os(BLESS).is_some() {
            write_folder(&sample, &world).expect("file not written");
        }
        let fresh = tempfile::tempdir().expect("no temporary folder");
        write_folder(fresh.path(), &world).expect("file not written");
        for name in ["users.csv", "courses.csv", "enrolments.csv"] {
            let kept = fs::read_to_string(sample.join(name)).expect("file not read");
            let made = fs::read_to_string(fresh.path().join(name)).expect("file not read");
            // Git may have changed the line ends of the stored file.
            assert!(
                kept.lines().eq(made.lines()),
                "{name} differs from the generated file; run this test with {BLESS}=1"
            );
        }
        let imported = read_folder(&sample, TENANT).expect("folder not imported");
        assert_eq!(sentences(&imported), [""; 0]);
        assert_eq!((imported.read.people, imported.read.courses), (300, 12));
        assert!(
            (850..=950).contains(&imported.read.enrolments),
            "{:?}",
            imported.read
        );
    }
}
