//! `courses.csv`: courses with their catalogs, which are identified by title.

use std::collections::HashSet;

use rollcall_simulators::world::{Catalog, Course, CourseType};
use uuid::Uuid;

use super::index::{Entry, Index, RowStatus};
use super::problem::RowProblem;
use super::quoted::quoted;
use super::table::{Row, Table};
use super::value;

/// The columns that are used.
pub(super) const COLUMNS: [&str; 5] = ["Id", "Title", "Catalog", "CourseType", "IsPublished"];

pub(super) const REQUIRED: [&str; 2] = ["Title", "Catalog"];

/// The loaded courses, searchable by id and title.
pub(super) struct Courses {
    /// Catalogs in the order of their first course.
    pub(super) catalogs: Vec<Catalog>,
    pub(super) rows: Vec<Course>,
    catalog_ids: HashSet<Uuid>,
    by_id: Index<Uuid>,
    by_title: Index<String>,
}

impl Courses {
    pub(super) fn read(table: Table<'_>, tenant: Uuid, problems: &mut Vec<RowProblem>) -> Self {
        let mut courses = Self {
            catalogs: Vec::new(),
            rows: Vec::new(),
            catalog_ids: HashSet::new(),
            by_id: Index::default(),
            by_title: Index::default(),
        };
        table.each(problems, |row| courses.add(row, tenant));
        courses
    }

    fn add(&mut self, row: &mut Row<'_>, tenant: Uuid) {
        if let Some((course, catalog)) = course(row, tenant) {
            self.refuse_duplicate(row, course.id);
            if row.is_sound() {
                self.load(row.line(), course, catalog);
                return;
            }
        }
        if let Some(Ok(id)) = row.value("Id").map(value::guid) {
            self.by_id.refuse(id, row.line());
        }
        if let Some(title) = row.value("Title") {
            self.by_title.refuse(key(title), row.line());
        }
    }

    fn refuse_duplicate(&self, row: &mut Row<'_>, id: Uuid) {
        let Some(line) = self.by_id.taken(&id) else {
            return;
        };
        if row.value("Id").is_some() {
            row.refuse("Id", format!("is the id in line {line} already"));
        } else {
            let problem = format!(
                "is the title of line {line} in the same catalog; two such courses need an Id each"
            );
            row.refuse("Title", problem);
        }
    }

    fn load(&mut self, line: u64, course: Course, catalog: Catalog) {
        let status = RowStatus::Loaded(course.id);
        self.by_id.load(course.id, line, status);
        self.by_title.load(key(&course.title), line, status);
        if self.catalog_ids.insert(catalog.id) {
            self.catalogs.push(catalog);
        }
        self.rows.push(course);
    }

    /// Returns the course with this id or title.
    pub(super) fn course(&self, text: &str) -> Result<Uuid, String> {
        let by_id = value::guid(text).ok().and_then(|id| self.by_id.find(&id));
        let entry = by_id.or_else(|| self.by_title.find(&key(text)));
        let Some(Entry { line, status }) = entry else {
            return Err(format!(
                "{} is not a Title or Id in courses.csv",
                quoted(text)
            ));
        };
        match status {
            RowStatus::Loaded(id) => Ok(id),
            RowStatus::Several => Err(format!(
                "{} is the title of several courses, first in line {line} of courses.csv; write \
                 the Id",
                quoted(text)
            )),
            RowStatus::Refused | RowStatus::Disabled => Err(format!(
                "{} is in line {line} of courses.csv, which was skipped",
                quoted(text)
            )),
        }
    }
}

/// Returns the form in which titles are compared: ignoring case and outer spaces.
fn key(title: &str) -> String {
    title.trim().to_lowercase()
}

/// Returns the course in a row and its catalog; `None` if a required value is missing or invalid.
fn course(row: &mut Row<'_>, tenant: Uuid) -> Option<(Course, Catalog)> {
    let id = row.optional("Id", value::guid);
    let title = row.required("Title", value::text);
    let catalog = row.required("Catalog", value::trimmed);
    let course_type = row.optional("CourseType", value::course_type);
    let published = row.optional("IsPublished", value::boolean);
    let (title, catalog) = (title?, catalog?);
    let catalog = Catalog {
        id: Uuid::new_v5(&tenant, format!("catalog:{catalog}").as_bytes()),
        title: catalog,
    };
    let course = Course {
        id: id.unwrap_or_else(|| Uuid::new_v5(&catalog.id, key(&title).as_bytes())),
        catalog_id: catalog.id,
        title,
        course_type: course_type.unwrap_or(CourseType::ELearning),
        published: published.unwrap_or(true),
        deleted: false,
    };
    Some((course, catalog))
}
