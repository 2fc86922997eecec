//! The whole learning platform at one moment: columnar, immutable, complete.

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

/// A property every learner has on the platform (S4-070), exactly these eight.
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
    /// All of them, in the order the guide lists them.
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

    /// The name rules use.
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

    /// The label people see.
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

/// Where a value about a person comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// One of the platform's own properties.
    Property(Property),
    /// A custom field of the platform.
    Custom(FieldId),
    /// A property of the person's Entra user (S4-055), by its Graph name.
    Entra(String),
}

/// What it is and when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Header {
    /// The name it is stored under.
    pub id: SnapshotId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// When the refresh began to read.
    pub taken_at: DateTime<Utc>,
}

/// A group the platform already knows: a row of its user list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsGroup {
    /// The platform's user id of the group.
    pub id: UserId,
    /// Its login name, the key of enrolment calls.
    pub login_name: String,
    /// The Entra group behind it.
    pub object_id: Option<ObjectId>,
}

/// Snapshots in which a row number means the same person.
///
/// A refresh carries rows over from the snapshot before it: who stays keeps the
/// row, who is new gets one behind all others, who is gone leaves theirs empty.
/// When too many are empty the rows are numbered anew, and a new lineage begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The first snapshot of the lineage.
    pub first: SnapshotId,
    /// How many refreshes ago that was; the first snapshot has 0.
    pub step: u32,
}

impl Lineage {
    /// A lineage that begins with this snapshot.
    pub fn begin(first: SnapshotId) -> Self {
        Self { first, step: 0 }
    }
}

/// The learners, one row each. Columns are parallel.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    /// What the row numbers mean.
    pub lineage: Lineage,
    /// User ids; a row's number is its place here. Kept for empty rows, too.
    pub ids: Vec<UserId>,
    /// The Entra object of each; none means the person cannot be in an Entra
    /// group. Kept for empty rows, too: a group may still hold who left.
    pub object_ids: Vec<Option<ObjectId>>,
    /// Rows that hold a learner; the others are empty: who was there is gone.
    pub living: RowSet,
    /// The step of the lineage in which each row last changed: a value, an
    /// enrolment, coming or going.
    pub changed_in: Vec<u32>,
    /// Rows in ascending order of their user ids.
    pub by_id: Vec<u32>,
    /// Text values by source, numbers and booleans included.
    pub texts: BTreeMap<Source, TextColumn>,
    /// Moments by source, for fields whose kind is a date.
    pub dates: BTreeMap<Source, DateColumn>,
}

impl People {
    /// How many rows there are, empty ones included.
    pub fn rows(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// How many learners there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.living.len()).unwrap_or(u32::MAX)
    }

    /// A person's text value as the platform wrote it (trimmed), if any.
    pub fn text(&self, source: &Source, row: u32) -> Option<&str> {
        self.texts.get(source)?.get(row)
    }

    /// A person's built-in property.
    pub fn property(&self, property: Property, row: u32) -> Option<&str> {
        self.text(&Source::Property(property), row)
    }

    /// Whether the person has an Entra account and so can be in a group.
    pub fn is_reachable(&self, row: u32) -> bool {
        self.object_ids
            .get(row as usize)
            .is_some_and(Option::is_some)
    }

    /// Rows by Entra object id, for comparing with a group's members. An empty
    /// row counts only if no learner has the object; of several learners with
    /// one object the first counts.
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

    /// Rows of learners that changed since the step of this lineage.
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

/// Everything one refresh read, ready to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What it is.
    pub header: Header,
    /// The learners.
    pub people: People,
    /// Custom and predefined fields.
    pub fields: Vec<FieldRow>,
    /// Entra properties that were read beside the platform's data, by Graph name.
    pub entra_properties: BTreeMap<String, FieldKind>,
    /// Courses, sorted by id; deleted ones are left out.
    pub courses: Vec<CourseRow>,
    /// Catalogs.
    pub catalogs: Vec<CatalogRow>,
    /// Enrolments of people, course-major.
    pub enrolments: Enrolments,
    /// Groups in the platform's user list.
    pub groups: Vec<LmsGroup>,
    /// Roles that groups hold; roles of single people are not kept.
    pub group_roles: Vec<RoleRow>,
}

impl Snapshot {
    /// The course, unless it is deleted (absent or marked so).
    pub fn course(&self, id: CourseId) -> Option<&CourseRow> {
        self.courses
            .binary_search_by_key(&id, |course| course.id)
            .ok()
            .map(|index| &self.courses[index])
    }

    /// The catalog.
    pub fn catalog(&self, id: CatalogId) -> Option<&CatalogRow> {
        self.catalogs.iter().find(|catalog| catalog.id == id)
    }

    /// The custom field, unless it is deleted or one of the platform's own.
    pub fn custom_field(&self, id: FieldId) -> Option<&FieldRow> {
        self.fields
            .iter()
            .find(|field| field.id == id && !field.predefined)
    }

    /// The row the platform keeps for an Entra group.
    pub fn group(&self, object: ObjectId) -> Option<&LmsGroup> {
        self.groups
            .iter()
            .find(|group| group.object_id == Some(object))
    }
}
