//! `enrolments.csv`: the courses of each user, with progress.

use std::collections::HashSet;

use rollcall_simulators::world::Enrolment;
use uuid::Uuid;

use super::courses::Courses;
use super::dates;
use super::problem::RowProblem;
use super::table::{Row, Table};
use super::users::Users;
use super::value;

/// The columns that are used.
pub(super) const COLUMNS: [&str; 6] = [
    "User",
    "Course",
    "Status",
    "RegistrationDate",
    "CompletionDate",
    "DueDate",
];

pub(super) const REQUIRED: [&str; 4] = ["User", "Course", "Status", "RegistrationDate"];

/// The loaded rows; several rows for the same user and course are retakes.
pub(super) struct Enrolments<'a> {
    tenant: Uuid,
    users: &'a Users,
    courses: &'a Courses,
    rows: Vec<Enrolment>,
    ids: HashSet<Uuid>,
}

impl<'a> Enrolments<'a> {
    pub(super) fn read(
        table: Table<'_>,
        tenant: Uuid,
        users: &'a Users,
        courses: &'a Courses,
        problems: &mut Vec<RowProblem>,
    ) -> Vec<Enrolment> {
        let mut enrolments = Self {
            tenant,
            users,
            courses,
            rows: Vec::new(),
            ids: HashSet::new(),
        };
        table.each(problems, |row| enrolments.add(row));
        enrolments.rows
    }

    fn add(&mut self, row: &mut Row<'_>) {
        let lms_user_id = row.required("User", |text| self.users.learner(text));
        let course_id = row.required("Course", |text| self.courses.course(text));
        let status = row.required("Status", value::progress);
        let registered_at = row.required("RegistrationDate", dates::moment);
        let completed_at = row.optional("CompletionDate", dates::moment);
        let due_at = row.optional("DueDate", dates::moment);
        let (true, Some(lms_user_id), Some(course_id), Some(status), Some(registered_at)) = (
            row.is_sound(),
            lms_user_id,
            course_id,
            status,
            registered_at,
        ) else {
            return;
        };
        let mut enrolment = Enrolment {
            id: Uuid::nil(),
            course_id,
            lms_user_id,
            status,
            registered_at,
            completed_at,
            due_at,
        };
        enrolment.id = self.new_id(&enrolment);
        self.rows.push(enrolment);
    }

    /// Derives an id from the values of the row, so that the order of rows has no effect; equal
    /// rows are numbered.
    fn new_id(&mut self, row: &Enrolment) -> Uuid {
        let Enrolment {
            id: _,
            course_id,
            lms_user_id,
            status,
            registered_at,
            completed_at,
            due_at,
        } = row;
        let content = format!(
            "enrolment:{course_id}:{lms_user_id}:{status:?}:{registered_at:?}:{completed_at:?}:{due_at:?}"
        );
        let mut id = Uuid::new_v5(&self.tenant, content.as_bytes());
        while !self.ids.insert(id) {
            id = Uuid::new_v5(&id, b"again");
        }
        id
    }
}
