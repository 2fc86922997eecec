//! The sets of one refresh, and the snapshot they become.

use std::collections::BTreeMap;

use super::changes::Changes;
use super::columns::Columns;
use super::enrolments::EnrolmentSet;
use super::entra::EntraSet;
use super::previous::Previous;
use super::roles::RoleSet;
use super::rows::{Learner, Rows};
use super::users::UserSet;
use crate::snapshot::lms::{CatalogRow, CourseRow, FieldRow};
use crate::snapshot::{DateColumn, Header, LmsGroup, People, Snapshot, Source, TextColumn};

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
