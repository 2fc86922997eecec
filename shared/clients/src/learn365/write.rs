//! Changes in the platform: groups into catalogs and courses, and out again.
//!
//! All of them may be repeated: what is already so is told by the platform's
//! text and reported as such, never as a failure.

use reqwest::Method;
use rollcall_domain::base::ids::{CatalogId, CourseId, ObjectId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Learn365;
use crate::http::{Answer, ApiError, quoted};

/// How the platform says that a change is not needed. It publishes no error
/// codes for this, so whole phrases are matched: "already" alone would also
/// take "the course has already ended" for a success.
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

/// What became of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// The group is enrolled now.
    Enrolled,
    /// It was before.
    AlreadyEnrolled,
}

/// What became of an unenrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unenrolment {
    /// The group is no longer enrolled.
    Unenrolled,
    /// It was not enrolled.
    NotEnrolled,
}

/// What became of a removal from a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogRemoval {
    /// The group is no longer in the catalog, nor in any of its courses.
    Removed,
    /// It was not there.
    NotThere,
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyLevel {
    /// Read and change.
    FullControl,
    /// Read only: refreshes work, enrolments do not.
    ReadOnly,
}

impl Learn365 {
    /// Adds a group to a catalog's user list, which also makes the platform
    /// take note of a group it has never seen (some time later). Needed before
    /// enrolling, else learners are denied access to the catalog's site (C-38).
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
            Err(error) if says(&error, ALREADY_IN_CATALOG) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Enrols a group in a course or training plan, past approval flows and
    /// attendee limits: the profile's administrator has decided (S4-132).
    pub async fn enrol_group(
        &self,
        course: CourseId,
        login_name: &str,
    ) -> Result<Enrolment, ApiError> {
        let url = self.enroll_url(course);
        let body = enroll_body(login_name);
        match self.write(Method::POST, &url, Some(&body)).await {
            Ok(_) => Ok(Enrolment::Enrolled),
            Err(error) if says(&error, ALREADY_ENROLLED) => Ok(Enrolment::AlreadyEnrolled),
            Err(error) => Err(error),
        }
    }

    /// Unenrols a group from a course or training plan (S4-133); learners see
    /// `message` as the reason of the cancellation.
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
            Err(error) if says(&error, NOT_ENROLLED) => Ok(Unenrolment::NotEnrolled),
            Err(error) => Err(error),
        }
    }

    /// Removes a group from a catalog, and with it from every course and
    /// training plan of that catalog, also those not managed here (S4-136,
    /// C-08: list them first with [`Learn365::group_roles`]).
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

    /// Tells what the key may do by a write that must fail: enrolling nobody in
    /// a course that cannot exist. There is no other way to ask a key for its
    /// level.
    ///
    /// Only of use for a key that reads were accepted with: 401 then means that
    /// it may not write, and 404 that there is no such course rather than that
    /// something else answers at the address.
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

    /// Sends a change, repeated while it fails transiently.
    async fn write(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let attempt = || async {
            let mut request = self.request(method.clone(), url);
            if let Some(body) = body {
                request = request.json(body);
            }
            self.http.send(request).await?.success()
        };
        self.http.retry().run(self.deadline, attempt).await
    }
}

fn enroll_body(login_name: &str) -> Value {
    json!({ "userLoginName": login_name, "ignoreMaxAttendees": true, "ignoreEnrollmentFlow": true })
}

/// Whether a refusal (400 or 409) says one of these, in any case.
fn says(error: &ApiError, texts: &[&str]) -> bool {
    let message = error.message().to_lowercase();
    matches!(error.status(), Some(400 | 409)) && texts.iter().any(|text| message.contains(text))
}
