//! From pages of rows to a snapshot, without ever holding all rows.
//!
//! Each set is gathered into columns while its pages arrive ([`UserSet`],
//! [`EnrolmentSet`], [`RoleSet`], [`EntraSet`]); they do not know of each other,
//! so they may arrive in any order and at once. When all are whole,
//! [`Sets::into_snapshot`] gives every learner a row, the same as in the snapshot
//! before where there is one, and notes who changed.

mod cells;
mod changes;
mod columns;
mod enrolments;
mod entra;
#[cfg(any(test, feature = "testing"))]
mod from_rows;
mod numbers;
mod previous;
mod roles;
mod rows;
#[cfg(test)]
mod tests;
mod users;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::lms::{CatalogRow, CourseRow, FieldRow};
use super::{DateColumn, Header, LmsGroup, People, Snapshot, Source, TextColumn};
use changes::Changes;
use columns::Columns;
pub use enrolments::EnrolmentSet;
pub use entra::EntraSet;
#[cfg(any(test, feature = "testing"))]
pub use from_rows::{EntraProperties, build};
pub use previous::Previous;
pub use roles::RoleSet;
use rows::{Learner, Rows};
pub use users::UserSet;

/// Rows of a user list, and users of a directory, that are taken: ten times the
/// largest tenants known.
pub const MAX_USERS: u32 = 10_000_000;
/// Enrolments that are taken; they need eight bytes of memory each.
pub const MAX_ENROLMENTS: u64 = 500_000_000;

/// More data than any real tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// The platform's user list.
    #[error("the user list has more than {MAX_USERS} rows or two gigabytes of text in one column")]
    Users,
    /// Enrolments.
    #[error("there are more than {MAX_ENROLMENTS} enrolments")]
    Enrolments,
    /// Role assignments.
    #[error("the role assignments hold more different names or holders than can be")]
    Roles,
    /// Users of the directory.
    #[error(
        "the directory has more than {MAX_USERS} users or two gigabytes of text in one property"
    )]
    EntraUsers,
}

/// The six sets of one refresh (S4-098), complete: a client that could not read
/// every page of every set never hands them out.
#[derive(Debug, Clone, Default)]
pub struct Sets {
    /// People and groups.
    pub users: UserSet,
    /// Columns of the user list.
    pub fields: Vec<FieldRow>,
    /// Courses and training plans.
    pub courses: Vec<CourseRow>,
    /// Catalogs.
    pub catalogs: Vec<CatalogRow>,
    /// Enrolments.
    pub enrolments: EnrolmentSet,
    /// Role assignments.
    pub roles: RoleSet,
}

/// A snapshot, and what stood in the way of comparing it with the one before.
#[derive(Debug)]
pub struct Built<E> {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Why a piece of the snapshot before could not be read. The rows were then
    /// numbered anew, or all of them count as changed; the data is whole either way.
    pub unread: Option<E>,
}

impl Sets {
    /// Builds the snapshot. `previous` is the one before it, if there is one.
    ///
    /// A learner whose user id and Entra object are those of a row of `previous`
    /// keeps the row; others get new ones behind, in the order of their user ids;
    /// who is gone leaves an empty row. When more than a quarter of the rows (and
    /// more than 1,000) would be empty, or there is nothing to carry over, rows
    /// are numbered by user id and a new lineage begins.
    pub fn into_snapshot<P: Previous>(
        mut self,
        header: Header,
        entra: EntraSet,
        previous: Option<&P>,
    ) -> Built<P::Error> {
        let (learners, groups) = self.learners_and_groups();
        let group_roles = std::mem::take(&mut self.roles)
            .into_group_roles(|user| groups.binary_search_by_key(&user, |group| group.id).is_ok());
        let (identity, unread) = match previous.map(Previous::identity).transpose() {
            Ok(identity) => (identity, None),
            Err(error) => (None, Some(error)),
        };
        let rows = Rows::assign(&learners, self.users.len(), &header.id, identity);
        let mut changes = Changes::new(previous, &rows, unread);
        let entra_properties = entra.kinds().clone();
        let (texts, dates) =
            Columns::new(&rows, &mut changes).read(self.users, &self.fields, entra);
        let enrolments = self.enrolments.into_enrolments(rows.len(), |user| {
            let found = learners.binary_search_by_key(&user, |learner| learner.id);
            rows.of_place(learners[found.ok()?].place)
        });
        changes.enrolments(&enrolments);
        let (people, unread) = people(rows, texts, dates, changes);
        let snapshot = Snapshot {
            header,
            people,
            fields: self.fields,
            entra_properties,
            courses: existing(self.courses),
            catalogs: self.catalogs,
            enrolments,
            groups,
            group_roles,
        };
        Built { snapshot, unread }
    }

    /// People and groups, each ascending by user id. A row is a group if it says
    /// so or a role of it does (S4-044).
    fn learners_and_groups(&self) -> (Vec<Learner>, Vec<LmsGroup>) {
        let users = &self.users;
        let (mut learners, mut groups) = (Vec::with_capacity(users.len()), Vec::new());
        let rows = users.ids.ids().iter().zip(&users.object_ids);
        for ((id, object), (place, is_group)) in rows.zip((0..).zip(&users.groups)) {
            if *is_group || self.roles.calls_group(*id) {
                groups.push(LmsGroup {
                    id: *id,
                    login_name: users.logins.get(place).to_owned(),
                    object_id: *object,
                });
            } else {
                learners.push(Learner {
                    id: *id,
                    object: *object,
                    place,
                });
            }
        }
        learners.sort_unstable_by_key(|learner| learner.id);
        groups.sort_unstable_by_key(|group| group.id);
        (learners, groups)
    }
}

fn people<P: Previous>(
    rows: Rows,
    texts: BTreeMap<Source, TextColumn>,
    dates: BTreeMap<Source, DateColumn>,
    changes: Changes<'_, P>,
) -> (People, Option<P::Error>) {
    let Rows {
        mut identity,
        by_id,
        ..
    } = rows;
    let unread = changes.finish(identity.lineage.step, &mut identity.changed_in);
    let people = People {
        texts,
        dates,
        ..identity.people(by_id)
    };
    (people, unread)
}

/// Courses that are not deleted, ascending by id.
fn existing(mut courses: Vec<CourseRow>) -> Vec<CourseRow> {
    courses.retain(|course| !course.deleted);
    courses.sort_by_key(|course| course.id);
    courses
}

/// Reads a moment as platforms write it: RFC 3339, the same without zone (UTC),
/// or a bare day (its first instant in UTC). Anything else is a missing value.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(local) = text.parse::<NaiveDateTime>() {
        return Some(local.and_utc());
    }
    let day = text.parse::<NaiveDate>().ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}
