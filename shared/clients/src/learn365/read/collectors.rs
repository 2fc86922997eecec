//! The collections that receive rows while pages arrive.

use rollcall_domain::base::ids::UserId;
use rollcall_domain::snapshot::ingest::{EnrolmentSet, RoleSet, UserSet};
use rollcall_domain::snapshot::lms::{
    CatalogRow, CourseRow, EnrolmentRow, FieldRow, Role, RoleRow, User,
};

use super::super::convert::{Catalogs, Courses, Enrolments, Fields, Roles, Set, UserIds, Users};
use crate::learn365::LmsGroup;

/// A collection that receives the rows of a set one by one while pages arrive.
pub(in crate::learn365) trait RowCollector<S: Set>:
    Default + Send + 'static
{
    /// Adds a row, or returns why it is invalid.
    fn take(&mut self, row: S::Row<'_>) -> Result<(), String>;
}

impl RowCollector<Users> for UserSet {
    fn take(&mut self, row: User<'_>) -> Result<(), String> {
        Self::push(self, &row).map_err(|error| error.to_string())
    }
}

impl RowCollector<Enrolments> for EnrolmentSet {
    fn take(&mut self, row: EnrolmentRow) -> Result<(), String> {
        Self::push(self, &row).map_err(|error| error.to_string())
    }
}

impl RowCollector<Roles> for RoleSet {
    fn take(&mut self, row: Role<'_>) -> Result<(), String> {
        Self::push(self, &row).map_err(|error| error.to_string())
    }
}

impl RowCollector<Courses> for Vec<CourseRow> {
    fn take(&mut self, row: CourseRow) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

impl RowCollector<Catalogs> for Vec<CatalogRow> {
    fn take(&mut self, row: CatalogRow) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

impl RowCollector<Fields> for Vec<FieldRow> {
    fn take(&mut self, row: FieldRow) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

impl RowCollector<Roles> for Vec<RoleRow> {
    fn take(&mut self, row: Role<'_>) -> Result<(), String> {
        self.push(row.into_row());
        Ok(())
    }
}

impl RowCollector<UserIds> for Vec<UserId> {
    fn take(&mut self, row: UserId) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

/// Rows of the user list for one Entra object, each with whether it is a group.
impl RowCollector<Users> for Vec<(bool, LmsGroup)> {
    fn take(&mut self, row: User<'_>) -> Result<(), String> {
        let group = LmsGroup {
            id: row.id,
            login_name: row.login_name.into_owned(),
        };
        self.push((row.is_group, group));
        Ok(())
    }
}
