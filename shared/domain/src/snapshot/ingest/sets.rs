//! The data sets of one refresh, and the snapshot built from them.

use std::collections::BTreeMap;

use super::changes::Changes;
use super::columns::Columns;
use super::enrolments::EnrolmentSet;
use super::entra::EntraSet;
use super::previous::Previous;
use super::roles::RoleSet;
use super::rows::{Learner, Rows};
use super::users::UserSet;
use crate::base::ids::CourseId;
use crate::snapshot::lms::{CatalogRow, CourseRow, FieldRow};
use crate::snapshot::{DateColumn, Header, LmsGroup, People, Snapshot, Source, TextColumn};

/// The six data sets of one refresh (S4-098), complete: a client returns them only if it read every
/// page of every set.
#[derive(Debug, Clone, Default)]
pub struct Sets {
    /// Users and groups.
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

/// A snapshot, and the error with which the previous one could not be read.
#[derive(Debug)]
pub struct Built<E> {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The error with which a part of the previous snapshot could not be read, if any. The rows
    /// were then renumbered or are all treated as changed; the data is complete in both cases.
    pub unread: Option<E>,
}

impl Sets {
    /// Builds the snapshot. `previous` is the previous snapshot, if there is one.
    ///
    /// A learner whose user id and Entra object are those of a row of `previous` keeps the row.
    /// Others get new rows after them, in the order of their user ids, and the rows of learners who
    /// left become empty. If more than a quarter of the rows (and more than 1,000) would be empty,
    /// or there is no previous snapshot, rows are numbered by user id and a new lineage begins.
    pub fn into_snapshot<P: Previous>(
        mut self,
        header: Header,
        entra: EntraSet,
        previous: Option<&P>,
    ) -> Built<P::Error> {
        let (learners, groups) = self.learners_and_groups();
        let roles = self.roles.len();
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
            Columns::new(&rows, &mut changes).build(self.users, &self.fields, entra);
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
            deleted_courses: deleted(&self.courses),
            courses: existing(self.courses),
            catalogs: self.catalogs,
            enrolments,
            groups,
            group_roles,
            roles,
        };
        Built { snapshot, unread }
    }

    /// Returns learners and groups, each ascending by user id. A row is a group if the row itself
    /// or one of its roles marks it as a group (S4-044).
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

/// Returns the courses that are listed as deleted, ascending by id.
fn deleted(courses: &[CourseRow]) -> Vec<CourseId> {
    let deleted = courses.iter().filter(|course| course.deleted);
    let mut deleted: Vec<_> = deleted.map(|course| course.id).collect();
    deleted.sort_unstable();
    deleted
}

/// Returns courses that are not deleted, ascending by id.
fn existing(mut courses: Vec<CourseRow>) -> Vec<CourseRow> {
    courses.retain(|course| !course.deleted);
    courses.sort_by_key(|course| course.id);
    courses
}
