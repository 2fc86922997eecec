//! Writes to the platform: adds groups to catalogs and courses, and removes them.
//!
//! All writes can be repeated: the platform's error text reveals that a change was already applied,
//! which is reported as a result and not as an error.

use reqwest::Method;
use rollcall_domain::base::ids::{CatalogId, CourseId, ObjectId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Learn365;
use crate::http::{Answer, ApiError, quoted};

/// Error texts for a change that is not needed. The platform publishes no error codes for this, so
/// whole phrases are matched: "already" alone would also accept "the course has already ended" as a
/// success.
const ALREADY_IN_CATALOG: &[&str] = &[
    "already exist",
    "already added",
    "already been added",
    "already in the c",
    "already a member",
];
const ALREADY_ENROLLED: &[&str] = &[
    "already enrolled",
    "already been enrolled",
    "already exist",
    "already registered",
];
const NOT_ENROLLED: &[&str] = &[
    "not enrolled",
    "isn't enrolled",
    "not registered",
    "already unenrolled",
    "already been unenrolled",
];

/// The result of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// The group was enrolled.
    Enrolled,
    /// The group was already enrolled.
    AlreadyEnrolled,
}

/// The result of an unenrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unenrolment {
    /// The group was unenrolled.
    Unenrolled,
    /// The group was not enrolled.
    NotEnrolled,
}

/// The result of a removal from a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogRemoval {
    /// The group was removed from the catalog and all its courses.
    Removed,
    /// The group was not in the catalog.
    NotThere,
}

/// The access level of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyLevel {
    /// Read and write.
    FullControl,
    /// Read only: refreshes work, enrolments do not.
    ReadOnly,
}

impl Learn365 {
    /// Adds a group to a catalog's user list, which also makes the platform synchronise a group it
    /// does not know yet (with a delay). Required before enrolling, because learners are otherwise
    /// denied access to the catalog's site (C-38).
    pub async fn add_group_to_catalog(
        &self,
        catalog: CatalogId,
        object: ObjectId,
        login_name: &str,
    ) -> Result<(), ApiError> {
        let url = self
            .base
            .join(&format!("/odata/v2/CourseCatalogs({catalog})/Users"));
        let body = json!({ "LoginName": login_name, "DirectoryObjectId": object });
        match self.write(Method::POST, &url, Some(&body)).await {
            Err(error) if mentions(&error, ALREADY_IN_CATALOG) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Enrols a group in a course or training plan, bypassing approval flows and attendee limits:
    /// the profile's administrator has decided (S4-132).
    pub async fn enrol_group(
        &self,
        course: CourseId,
        login_name: &str,
    ) -> Result<Enrolment, ApiError> {
        let url = self.enroll_url(course);
        let body = enroll_body(login_name);
        match self.write(Method::POST, &url, Some(&body)).await {
            Ok(_) => Ok(Enrolment::Enrolled),
            Err(error) if mentions(&error, ALREADY_ENROLLED) => Ok(Enrolment::AlreadyEnrolled),
            Err(error) => Err(error),
        }
    }

    /// Unenrols a group from a course or training plan (S4-133); `message` is shown to learners as
    /// the reason of the cancellation.
    pub async fn unenrol_group(
        &self,
        course: CourseId,
        login_name: &str,
        message: &str,
    ) -> Result<Unenrolment, ApiError> {
        let url = self
            .base
            .join(&format!("/odata/v2/Courses({course})/Unenroll"));
        let body = json!({ "userLoginName": login_name, "message": message });
        match self.write(Method::POST, &url, Some(&body)).await {
            Ok(_) => Ok(Unenrolment::Unenrolled),
            Err(error) if mentions(&error, NOT_ENROLLED) => Ok(Unenrolment::NotEnrolled),
            Err(error) => Err(error),
        }
    }

    /// Removes a group from a catalog and thereby from every course and training plan of that
    /// catalog, including those not managed here (S4-136, C-08: list them first with
    /// [`Learn365::group_roles`]).
    pub async fn remove_group_from_catalog(
        &self,
        catalog: CatalogId,
        login_name: &str,
    ) -> Result<CatalogRemoval, ApiError> {
        let key = quoted(login_name);
        let url = self
            .base
            .join(&format!("/odata/v2/CourseCatalogs({catalog})/Users({key})"));
        match self.write(Method::DELETE, &url, None).await {
            Ok(_) => Ok(CatalogRemoval::Removed),
            Err(error) if error.status() == Some(404) => Ok(CatalogRemoval::NotThere),
            Err(error) => Err(error),
        }
    }

    /// Returns the level of the key, using a write that must fail: an enrolment without users in a
    /// course that cannot exist. The API has no other way to query the level.
    ///
    /// Only meaningful for a key that was accepted by reads: 401 then means that it must not write,
    /// and 404 that the course does not exist rather than that the address belongs to another
    /// service.
    pub(super) async fn key_level(&self) -> Result<KeyLevel, ApiError> {
        let url = self.enroll_url(CourseId::new(Uuid::nil()));
        match self
            .write(Method::POST, &url, Some(&enroll_body("rollcall-key-check")))
            .await
        {
            Ok(_) => Ok(KeyLevel::FullControl),
            Err(error) => match error.status() {
                Some(401 | 403) => Ok(KeyLevel::ReadOnly),
                Some(400 | 404) => Ok(KeyLevel::FullControl),
                _ => Err(error),
            },
        }
    }

    fn enroll_url(&self, course: CourseId) -> String {
        self.base
            .join(&format!("/odata/v2/Courses({course})/Enroll"))
    }

    /// Sends a change; transient failures are retried.
    async fn write(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        self.send(|| {
            let request = self.request(method.clone(), url);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        })
        .await
    }
}

fn enroll_body(login_name: &str) -> Value {
    json!({ "userLoginName": login_name, "ignoreMaxAttendees": true, "ignoreEnrollmentFlow": true })
}

/// Returns whether an error (400 or 409) contains one of these texts, ignoring case.
fn mentions(error: &ApiError, texts: &[&str]) -> bool {
    let message = error.message().to_lowercase();
    matches!(error.status(), Some(400 | 409)) && texts.iter().any(|text| message.contains(text))
}
