//! The data of one simulated tenant: who works there, what they learn, and how its services behave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::behaviour::Behaviour;
pub use crate::office::{ExchangePlan, Mailbox, Room, UserConsent};

/// Everything a tenant starts with; loading it replaces the tenant of the same id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The organisation itself.
    pub tenant: TenantSeed,
    /// Registered applications that may ask for tokens.
    #[serde(default)]
    pub apps: Vec<AppCredential>,
    /// Learn365 API keys.
    #[serde(default)]
    pub lms_keys: Vec<LmsKey>,
    /// People known to Entra, Learn365 or both.
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
    /// Individual enrolments; several rows per person and course are allowed (retakes).
    #[serde(default)]
    pub enrolments: Vec<Enrolment>,
    /// Entra groups that exist before Rollcall does anything.
    #[serde(default)]
    pub groups: Vec<EntraGroup>,
    /// Mailboxes by their owners' object ids.
    #[serde(default)]
    pub mailboxes: BTreeMap<Uuid, Mailbox>,
    /// Rooms that can be booked.
    #[serde(default)]
    pub rooms: Vec<Room>,
    /// Object ids of the global administrators.
    #[serde(default)]
    pub admins: BTreeSet<Uuid>,
    /// Who may consent to applications.
    #[serde(default)]
    pub user_consent: UserConsent,
    /// Delays, limits and wire quirks.
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
    /// The secret is right but too old: token requests answer AADSTS7000222.
    #[serde(default)]
    pub secret_expired: bool,
    /// Switched off in the tenant: token requests answer AADSTS7000112.
    #[serde(default)]
    pub disabled: bool,
}

/// A Learn365 API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsKey {
    /// The key, sent as the Basic password. Must differ between tenants.
    pub key: String,
    /// What it may do.
    pub level: KeyLevel,
}

/// Permission level of a Learn365 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyLevel {
    /// Reads and writes.
    FullControl,
    /// Reads only; a write is answered with 403.
    ReadOnly,
    /// Revoked: answered like a key that never was.
    Revoked,
}

/// A person, seen by Entra (`object_id`), by Learn365 (`lms_id`) or by both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Entra object id; `None` for people only Learn365 knows.
    pub object_id: Option<Uuid>,
    /// Learn365 user id; `None` for people only Entra knows.
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
    /// May sign in.
    pub account_enabled: bool,
    /// Employee number as Entra stores it.
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
    /// The claims login name Learn365 keeps for this person.
    pub fn login_name(&self) -> String {
        format!("i:0#.f|membership|{}", self.upn.to_lowercase())
    }
}

/// Entra `userType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// Belongs to the organisation.
    Member,
    /// Invited from outside.
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
    /// Visible to learners.
    pub published: bool,
    /// Deleted; listed only with [`Behaviour::list_deleted_courses`].
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

/// One enrolment row of a person in a course.
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
    /// When the person was enrolled.
    pub registered_at: DateTime<Utc>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// Until when it must be completed.
    pub due_at: Option<DateTime<Utc>>,
}

/// Learn365 `CoursePassingStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Not opened yet.
    NotStarted,
    /// Begun.
    InProgress,
    /// Done.
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
    /// Rule-based membership: refuses manual changes.
    #[serde(default)]
    pub dynamic: bool,
    /// Mastered on premises: refuses every change.
    #[serde(default)]
    pub on_premises_synced: bool,
    /// May hold directory roles: refuses changes without `RoleManagement.ReadWrite.Directory`.
    #[serde(default)]
    pub role_assignable: bool,
    /// Object ids of members (people or other groups).
    #[serde(default)]
    pub members: BTreeSet<Uuid>,
}
