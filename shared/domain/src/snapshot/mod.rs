//! The data of one tenant's LMS at one time: columnar, immutable and complete.

pub mod codes;
pub mod columns;
pub mod describe;
pub mod dictionary;
pub mod enrolments;
mod folded;
pub mod format;
pub mod ingest;
pub mod lms;
mod lookup;
pub mod name_order;
pub mod postings;
pub mod sanity;
pub mod schema;
pub mod search;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, SnapshotId, TenantId, UserId};
use crate::base::rowset::RowSet;
use lms::{CatalogRow, CourseRow, FieldKind, FieldRow, RoleRow};

pub use codes::Codes;
pub use columns::{DateColumn, TextColumn};
pub use dictionary::Dictionary;
pub use enrolments::{Activity, CourseActivities, Enrolments};
pub use postings::Postings;

/// A built-in property that every learner has on the platform (S4-070); exactly these eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Property {
    /// City.
    City,
    /// Company.
    Company,
    /// Department.
    Department,
    /// Country.
    Country,
    /// Office.
    Office,
    /// Job title.
    JobTitle,
    /// Mail address.
    Email,
    /// Name of the learner.
    Title,
}

impl Property {
    /// All properties, in the order of the user guide.
    pub const ALL: [Self; 8] = [
        Self::City,
        Self::Company,
        Self::Department,
        Self::Country,
        Self::Office,
        Self::JobTitle,
        Self::Email,
        Self::Title,
    ];

    /// Returns the name that rules use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Company => "company",
            Self::Department => "department",
            Self::Country => "country",
            Self::Office => "office",
            Self::JobTitle => "jobTitle",
            Self::Email => "email",
            Self::Title => "title",
        }
    }

    /// Returns the label shown to users.
    pub const fn label(self) -> &'static str {
        match self {
            Self::City => "City",
            Self::Company => "Company",
            Self::Department => "Department",
            Self::Country => "Country",
            Self::Office => "Office",
            Self::JobTitle => "Job Title",
            Self::Email => "Email",
            Self::Title => "Title",
        }
    }
}

/// The source of a learner's values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// One of the platform's own properties.
    Property(Property),
    /// A custom field of the platform.
    Custom(FieldId),
    /// A property of the learner's Entra user (S4-055), by its Graph name.
    Entra(String),
}

/// Identity and time of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Header {
    /// The name under which the snapshot is stored.
    pub id: SnapshotId,
    /// The tenant that the data belongs to.
    pub tenant: TenantId,
    /// The time at which the refresh began to read.
    pub taken_at: DateTime<Utc>,
}

/// A group that the platform already has: a row of its user list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsGroup {
    /// The platform's user id of the group.
    pub id: UserId,
    /// Its login name, the key of enrolment calls.
    pub login_name: String,
    /// The corresponding Entra group.
    pub object_id: Option<ObjectId>,
}

/// A series of snapshots in which a row number means the same learner.
///
/// A refresh takes rows over from the previous snapshot: a learner who remains keeps the row, a new
/// learner gets a row after all others, and the row of a learner who left becomes empty. If too
/// many rows are empty, all rows are renumbered and a new lineage begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The first snapshot of the lineage.
    pub first: SnapshotId,
    /// The number of refreshes since the first snapshot, which has 0.
    pub step: u32,
}

impl Lineage {
    /// Returns a lineage that begins with this snapshot.
    pub fn begin(first: SnapshotId) -> Self {
        Self { first, step: 0 }
    }
}

/// The learners, one row each; all columns are parallel.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    /// The lineage that defines the row numbers.
    pub lineage: Lineage,
    /// User ids; the row number is the index. Stored for empty rows, too.
    pub ids: Vec<UserId>,
    /// The Entra object of each row; without one the learner cannot be in an Entra group. Stored
    /// for empty rows, too: a group may still contain a learner who left.
    pub object_ids: Vec<Option<ObjectId>>,
    /// Rows that contain a learner; the others are empty because their learner left.
    pub living: RowSet,
    /// The step of the lineage in which each row last changed: a value, an enrolment, arrival or
    /// departure.
    pub changed_in: Vec<u32>,
    /// Rows in ascending order of their user ids.
    pub by_id: Vec<u32>,
    /// Text values by source, including numbers and booleans.
    pub texts: BTreeMap<Source, TextColumn>,
    /// Times by source, for fields of kind date.
    pub dates: BTreeMap<Source, DateColumn>,
}

impl People {
    /// Returns the number of rows, including empty ones.
    pub fn rows(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// Returns the number of learners.
    pub fn count(&self) -> u32 {
        u32::try_from(self.living.len()).unwrap_or(u32::MAX)
    }

    /// Returns a learner's text value as the platform wrote it (trimmed), if any.
    pub fn text(&self, source: &Source, row: u32) -> Option<&str> {
        self.texts.get(source)?.get(row)
    }

    /// Returns a learner's built-in property.
    pub fn property(&self, property: Property, row: u32) -> Option<&str> {
        self.text(&Source::Property(property), row)
    }

    /// Returns true if the learner has an Entra account and can therefore be in a group.
    pub fn is_reachable(&self, row: u32) -> bool {
        self.object_ids
            .get(row as usize)
            .is_some_and(Option::is_some)
    }

    /// Returns rows by Entra object id, for comparison with a group's members. An empty row is used
    /// only if no learner has the object; of several learners with one object the first is used.
    pub fn rows_by_object(&self) -> HashMap<ObjectId, u32> {
        let mut rows: HashMap<ObjectId, u32> = HashMap::with_capacity(self.ids.len());
        for (object, row) in self.object_ids.iter().zip(0u32..) {
            let Some(object) = object else { continue };
            let better = rows
                .get(object)
                .is_none_or(|known| !self.living.contains(*known) && self.living.contains(row));
            if better {
                rows.insert(*object, row);
            }
        }
        rows
    }

    /// Returns rows of learners that changed since the given step of this lineage.
    pub fn changed_since(&self, step: u32) -> RowSet {
        let mut rows = RowSet::new(self.rows());
        rows.extend(
            self.changed_in
                .iter()
                .zip(0u32..)
                .filter_map(|(changed, row)| (*changed > step).then_some(row)),
        );
        rows
    }
}

/// All data that one refresh read, ready for evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Identity and time.
    pub header: Header,
    /// The learners.
    pub people: People,
    /// Custom and predefined fields.
    pub fields: Vec<FieldRow>,
    /// Entra properties that were read in addition to the platform's data, by Graph name.
    pub entra_properties: BTreeMap<String, FieldKind>,
    /// Courses, sorted by id, without deleted ones.
    pub courses: Vec<CourseRow>,
    /// Courses that the platform lists as deleted, sorted. A course that is merely absent is not
    /// among them.
    pub deleted_courses: Vec<CourseId>,
    /// Catalogs.
    pub catalogs: Vec<CatalogRow>,
    /// Enrolments of learners, course-major.
    pub enrolments: Enrolments,
    /// Groups in the platform's user list.
    pub groups: Vec<LmsGroup>,
    /// Roles that groups hold; roles of single users are not stored.
    pub group_roles: Vec<RoleRow>,
    /// The number of all role assignments, of groups and users.
    pub roles: u64,
}

impl Snapshot {
    /// Returns the course, unless it is deleted (absent or marked as deleted).
    pub fn course(&self, id: CourseId) -> Option<&CourseRow> {
        self.courses
            .binary_search_by_key(&id, |course| course.id)
            .ok()
            .map(|index| &self.courses[index])
    }

    /// Returns the catalog.
    pub fn catalog(&self, id: CatalogId) -> Option<&CatalogRow> {
        self.catalogs.iter().find(|catalog| catalog.id == id)
    }

    /// Returns the custom field, unless it is deleted or predefined by the platform.
    pub fn custom_field(&self, id: FieldId) -> Option<&FieldRow> {
        self.fields
            .iter()
            .find(|field| field.id == id && !field.predefined)
    }

    /// Returns the platform's row for an Entra group.
    pub fn group(&self, object: ObjectId) -> Option<&LmsGroup> {
        self.groups
            .iter()
            .find(|group| group.object_id == Some(object))
    }
}
