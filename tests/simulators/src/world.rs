//! The data of one simulated tenant: organisation, users, courses, and service behaviour.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::behaviour::Behaviour;
pub use crate::office::{ExchangePlan, Mailbox, Room, UserConsent};

/// The initial data of a tenant; loading it replaces the tenant with the same id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The organisation itself.
    pub tenant: TenantSeed,
    /// Registered applications that may request tokens.
    #[serde(default)]
    pub apps: Vec<AppCredential>,
    /// Learn365 API keys.
    #[serde(default)]
    pub lms_keys: Vec<LmsKey>,
    /// Users in Entra, Learn365 or both.
    #[serde(default)]
    pub people: Vec<Person>,
    /// Custom Learn365 columns; the seven predefined ones are added by the simulator.
    #[serde(default)]
    pub fields: Vec<CustomField>,
    /// Learn365 course catalogs.
    #[serde(default)]
    pub catalogs: Vec<Catalog>,
    /// Learn365 courses and training plans.
    #[serde(default)]
    pub courses: Vec<Course>,
    /// Individual enrolments; several rows per user and course are allowed (retakes).
    #[serde(default)]
    pub enrolments: Vec<Enrolment>,
    /// Entra groups that exist before Rollcall does anything.
    #[serde(default)]
    pub groups: Vec<EntraGroup>,
    /// Mailboxes by their owners' object ids.
    #[serde(default)]
    pub mailboxes: BTreeMap<Uuid, Mailbox>,
    /// Bookable rooms.
    #[serde(default)]
    pub rooms: Vec<Room>,
    /// Object ids of the global administrators.
    #[serde(default)]
    pub admins: BTreeSet<Uuid>,
    /// Whether users may consent to applications.
    #[serde(default)]
    pub user_consent: UserConsent,
    /// Delays, limits and wire format variants.
    #[serde(default)]
    pub behaviour: Behaviour,
}

/// The organisation of a [`World`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSeed {
    /// Entra tenant id; the key of the tenant in every simulator.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// Verified default domain, e.g. `contoso.example`.
    pub domain: String,
    /// Learn365 region code, e.g. `us`; informative only.
    pub region: String,
}

/// An application with consent in the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppCredential {
    /// Application (client) id.
    pub client_id: Uuid,
    /// Client secret, compared exactly.
    pub client_secret: String,
    /// Granted application permissions, e.g. `Group.ReadWrite.All`.
    pub roles: Vec<String>,
    /// The secret is correct but expired: token requests return AADSTS7000222.
    #[serde(default)]
    pub secret_expired: bool,
    /// Disabled in the tenant: token requests return AADSTS7000112.
    #[serde(default)]
    pub disabled: bool,
}

/// A Learn365 API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsKey {
    /// The key, sent as the Basic password. Must differ between tenants.
    pub key: String,
    /// Its permission level.
    pub level: KeyLevel,
}

/// Permission level of a Learn365 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyLevel {
    /// Read and write.
    FullControl,
    /// Read only; a write returns 403.
    ReadOnly,
    /// Revoked: handled like an unknown key.
    Revoked,
}

/// A user in Entra (`object_id`), in Learn365 (`lms_id`) or in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Entra object id; `None` for users only in Learn365.
    pub object_id: Option<Uuid>,
    /// Learn365 user id; `None` for users only in Entra.
    pub lms_id: Option<Uuid>,
    /// User principal name; the Learn365 login name is built from it.
    pub upn: String,
    /// Display name (Learn365 `Title`).
    pub display_name: String,
    /// Given name.
    pub given_name: Option<String>,
    /// Surname.
    pub surname: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Company (`companyName` in Entra, the predefined user field `Company` in Learn365).
    pub company: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Office (`officeLocation` in Entra).
    pub office: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Member or guest.
    pub user_type: UserType,
    /// Whether sign-in is enabled.
    pub account_enabled: bool,
    /// Employee number in Entra.
    pub employee_id: Option<String>,
    /// First working day (`employeeHireDate` in Entra).
    pub hire_date: Option<NaiveDate>,
    /// Object id of the manager.
    pub manager: Option<Uuid>,
    /// Learn365 custom column values by field id.
    #[serde(default)]
    pub custom: BTreeMap<Uuid, String>,
}

impl Person {
    /// Returns the claims login name of this user in Learn365.
    pub fn login_name(&self) -> String {
        format!("i:0#.f|membership|{}", self.upn.to_lowercase())
    }
}

/// Entra `userType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// A member of the organisation.
    Member,
    /// An external user.
    Guest,
}

/// A custom Learn365 column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// Field id.
    pub id: Uuid,
    /// Column title.
    pub title: String,
    /// Value type.
    pub kind: FieldKind,
}

/// Type of a Learn365 user field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// Decimal number.
    Number,
    /// Date and time.
    DateTime,
}

/// A course catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Catalog id.
    pub id: Uuid,
    /// Catalog title.
    pub title: String,
}

/// A course or training plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Course id.
    pub id: Uuid,
    /// Catalog it belongs to.
    pub catalog_id: Uuid,
    /// Title.
    pub title: String,
    /// Kind of course.
    pub course_type: CourseType,
    /// Whether it is visible to learners.
    pub published: bool,
    /// Whether it is deleted; listed only with [`Behaviour::list_deleted_courses`].
    pub deleted: bool,
}

/// Learn365 `CourseType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CourseType {
    /// Self-paced.
    ELearning,
    /// In a room.
    ClassRoom,
    /// Online at a fixed time.
    Webinar,
    /// A sequence of courses.
    TrainingPlan,
}

/// One enrolment row of a user in a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Row id.
    pub id: Uuid,
    /// Course.
    pub course_id: Uuid,
    /// Learn365 user id.
    pub lms_user_id: Uuid,
    /// Progress.
    pub status: Progress,
    /// When the user was enrolled.
    pub registered_at: DateTime<Utc>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// The due date.
    pub due_at: Option<DateTime<Utc>>,
}

/// Learn365 `CoursePassingStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Not started yet.
    NotStarted,
    /// Started.
    InProgress,
    /// Completed.
    Completed,
}

/// An Entra security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntraGroup {
    /// Object id.
    pub id: Uuid,
    /// Display name; not unique.
    pub display_name: String,
    /// Immutable alternate key; unique among live groups.
    pub unique_name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Mail nickname (required even without a mailbox).
    pub mail_nickname: String,
    /// Dynamic membership: manual changes are an error.
    #[serde(default)]
    pub dynamic: bool,
    /// Synchronised from on premises: every change is an error.
    #[serde(default)]
    pub on_premises_synced: bool,
    /// Can have directory roles: changes require `RoleManagement.ReadWrite.Directory`.
    #[serde(default)]
    pub role_assignable: bool,
    /// Object ids of members (users or other groups).
    #[serde(default)]
    pub members: BTreeSet<Uuid>,
}
