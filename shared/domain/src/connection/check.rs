//! The result of a connection test: checks with result, remedy and the field to correct.

use serde::{Deserialize, Serialize};

use crate::base::problem::Problem;

/// Pointer to the app registration in the settings, with both of its parts.
pub const ENTRA_APP: &str = "/entraApp";
/// Pointer to the application (client) id in the settings.
pub const CLIENT_ID: &str = "/entraApp/clientId";
/// Pointer to the client secret in the settings.
pub const CLIENT_SECRET: &str = "/entraApp/clientSecret";
/// Pointer to the Learn365 API key in the settings.
pub const LMS_KEY: &str = "/learn365ApiKey";
/// Pointer to the address of the region's platform in the settings.
pub const LMS_URL: &str = "/lmsUrl";

/// The system that a check tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Subject))]
#[serde(rename_all = "snake_case")]
pub enum CheckSubject {
    /// Microsoft Entra and Graph.
    Entra,
    /// Learn365.
    Learn365,
    /// The learning platform's SCIM service.
    Scim,
}

/// Identifies a check. The names are part of the API and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckId {
    /// The app gets a token in the tenant's directory.
    EntraSignIn,
    /// The app has the rights of `User.Read.All`.
    EntraUserReadAll,
    /// The app has the rights of `Group.ReadWrite.All`.
    EntraGroupReadWriteAll,
    /// The app has the rights of `GroupMember.ReadWrite.All`.
    EntraGroupMemberReadWriteAll,
    /// The app has no other permissions, as far as this can be detected (C-33).
    EntraExcessPermissions,
    /// The address belongs to the platform and to the region of the key.
    Learn365Address,
    /// The platform accepts the key.
    Learn365Key,
    /// The key has Full Control (S4-016).
    Learn365KeyLevel,
    /// The key was made in the tenant's own environment (S4-002).
    Learn365Tenant,
    /// The app has the rights of `Group.Read.All` (S2-13).
    EntraGroupReadAll,
    /// The app has the rights of `GroupMember.Read.All` (S2-14).
    EntraGroupMemberReadAll,
    /// Users can be read.
    EntraSample,
    /// Graph accepts the filter (S3-30).
    EntraFilter,
    /// The chosen groups exist (S3-37).
    EntraGroups,
    /// The platform answers at its address with its service description.
    ScimAddress,
    /// The platform accepts the token, and users and groups can be read.
    ScimRead,
}

impl CheckId {
    /// All checks of a tenant's settings, in display order.
    pub const ALL: [Self; 9] = [
        Self::EntraSignIn,
        Self::EntraUserReadAll,
        Self::EntraGroupReadWriteAll,
        Self::EntraGroupMemberReadWriteAll,
        Self::EntraExcessPermissions,
        Self::Learn365Address,
        Self::Learn365Key,
        Self::Learn365KeyLevel,
        Self::Learn365Tenant,
    ];

    /// All checks of the directory sync, in display order.
    pub const SYNC: [Self; 10] = [
        Self::EntraSignIn,
        Self::EntraUserReadAll,
        Self::EntraExcessPermissions,
        Self::EntraGroupReadAll,
        Self::EntraGroupMemberReadAll,
        Self::EntraSample,
        Self::EntraFilter,
        Self::EntraGroups,
        Self::ScimAddress,
        Self::ScimRead,
    ];

    /// Returns the system that the check tests.
    pub const fn subject(self) -> CheckSubject {
        match self {
            Self::EntraSignIn
            | Self::EntraUserReadAll
            | Self::EntraGroupReadWriteAll
            | Self::EntraGroupMemberReadWriteAll
            | Self::EntraExcessPermissions
            | Self::EntraGroupReadAll
            | Self::EntraGroupMemberReadAll
            | Self::EntraSample
            | Self::EntraFilter
            | Self::EntraGroups => CheckSubject::Entra,
            Self::ScimAddress | Self::ScimRead => CheckSubject::Scim,
            Self::Learn365Address
            | Self::Learn365Key
            | Self::Learn365KeyLevel
            | Self::Learn365Tenant => CheckSubject::Learn365,
        }
    }

    /// Returns the title, with permissions under the names that Microsoft shows (C-12).
    pub const fn title(self) -> &'static str {
        match self {
            Self::EntraSignIn => "The Entra app can sign in",
            Self::EntraUserReadAll => "User.Read.All: read users",
            Self::EntraGroupReadWriteAll => "Group.ReadWrite.All: create and rename groups",
            Self::EntraGroupMemberReadWriteAll => {
                "GroupMember.ReadWrite.All: add and remove members"
            }
            Self::EntraExcessPermissions => "The Entra app has no other permissions",
            Self::Learn365Address => "Learn365 answers at its address",
            Self::Learn365Key => "Learn365 accepts the API key",
            Self::Learn365KeyLevel => "The API key has Full Control",
            Self::Learn365Tenant => "The API key belongs to your organisation",
            Self::EntraGroupReadAll => "Group.Read.All: read groups",
            Self::EntraGroupMemberReadAll => "GroupMember.Read.All: read members",
            Self::EntraSample => "Users can be read",
            Self::EntraFilter => "Microsoft Graph accepts the filter",
            Self::EntraGroups => "The chosen groups exist",
            Self::ScimAddress => "The learning platform answers at its SCIM address",
            Self::ScimRead => "The learning platform accepts the token",
        }
    }

    /// Returns true if the connection works even if this check does not pass.
    const fn is_advice(self) -> bool {
        matches!(self, Self::EntraExcessPermissions)
    }
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// The check passed.
    Passed,
    /// The connection will not work.
    Failed,
    /// The connection works, but an administrator should check the detail.
    Warning,
    /// No result: the other side did not answer, or an earlier check failed.
    NotChecked,
}

/// One check with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Identifies the check; the value is stable.
    pub id: CheckId,
    /// The system that the check tests.
    pub subject: CheckSubject,
    /// The result.
    pub status: CheckStatus,
    /// Title of the check.
    pub title: String,
    /// The finding, and the remedy if the check did not pass.
    pub detail: String,
    /// JSON pointer to the settings field at fault, if there is one.
    pub pointer: Option<String>,
}

impl Check {
    fn new(id: CheckId, status: CheckStatus, detail: impl Into<String>) -> Self {
        Self {
            id,
            subject: id.subject(),
            status,
            title: id.title().to_owned(),
            detail: detail.into(),
            pointer: None,
        }
    }

    /// Creates the result of a passed check.
    pub fn passed(id: CheckId, detail: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::Passed, detail)
    }

    /// Creates the result of a failed check; `detail` contains the remedy.
    pub fn failed(id: CheckId, detail: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::Failed, detail)
    }

    /// Creates a warning: the connection works, but an administrator should check the detail.
    pub fn warning(id: CheckId, detail: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::Warning, detail)
    }

    /// Creates a result for a check that could not be made, with the reason.
    pub fn not_checked(id: CheckId, reason: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::NotChecked, reason)
    }

    /// Returns the check with the field at fault.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }
}

/// The result of a connection test. A test never writes anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    /// True if all required checks were made and passed. Warnings and excess permissions do not
    /// count; a required check that could not be made does, because its result is unknown.
    pub ok: bool,
    /// All checks, in the order of [`CheckId::ALL`].
    pub checks: Vec<Check>,
}

impl ConnectionTest {
    /// Sorts the checks and computes the overall result.
    pub fn of(mut checks: Vec<Check>) -> Self {
        use CheckStatus::{Failed, NotChecked, Passed, Warning};
        checks.sort_by_key(|check| check.id);
        let fine = |check: &Check| match check.status {
            Passed | Warning => true,
            NotChecked => check.id.is_advice(),
            Failed => false,
        };
        let ok = !checks.is_empty() && checks.iter().all(fine);
        Self { ok, checks }
    }

    /// Returns the failed checks as problems of the settings, for a response that rejects them. A
    /// check that could not be made is not a problem, because the settings may be valid.
    pub fn problems(&self) -> Vec<Problem> {
        self.ended(CheckStatus::Failed)
            .map(|check| Problem::at(check.pointer.clone().unwrap_or_default(), &check.detail))
            .collect()
    }

    /// Returns true if a required check could not be made.
    pub fn is_incomplete(&self) -> bool {
        self.ended(CheckStatus::NotChecked)
            .any(|check| !check.id.is_advice())
    }

    fn ended(&self, how: CheckStatus) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.status == how)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all_passed() -> Vec<Check> {
        CheckId::ALL.map(|id| Check::passed(id, "Fine.")).into()
    }

    fn with(check: Check) -> ConnectionTest {
        let mut checks = all_passed();
        checks.retain(|other| other.id != check.id);
        checks.push(check);
        ConnectionTest::of(checks)
    }

    #[test]
    fn the_wire_form_is_stable() {
        let check = Check::failed(CheckId::Learn365KeyLevel, "It is Read Only.").at(LMS_KEY);
        let test = ConnectionTest::of(vec![check]);
        assert_eq!(
            serde_json::to_value(&test).expect("test not serialized"),
            json!({ "ok": false, "checks": [{
                "id": "learn365_key_level",
                "subject": "learn365",
                "status": "failed",
                "title": "The API key has Full Control",
                "detail": "It is Read Only.",
                "pointer": "/learn365ApiKey",
            }]})
        );
        let names = CheckId::ALL.map(|id| serde_json::to_value(id).expect("id not serialized"));
        assert_eq!(
            json!(names),
            json!([
                "entra_sign_in",
                "entra_user_read_all",
                "entra_group_read_write_all",
                "entra_group_member_read_write_all",
                "entra_excess_permissions",
                "learn365_address",
                "learn365_key",
                "learn365_key_level",
                "learn365_tenant",
            ])
        );
    }

    #[test]
    fn only_what_is_needed_decides() {
        let (id, advice) = (CheckId::EntraUserReadAll, CheckId::EntraExcessPermissions);
        assert!(ConnectionTest::of(all_passed()).ok);
        assert!(with(Check::warning(advice, "More.")).ok);
        assert!(with(Check::not_checked(advice, "Opaque.")).ok);
        assert!(!with(Check::failed(id, "Missing.")).ok);
        assert!(!with(Check::not_checked(id, "Silence.")).ok);
        assert!(
            !ConnectionTest::of(Vec::new()).ok,
            "a test without checks passed"
        );
    }

    #[test]
    fn failed_checks_are_problems_and_silence_is_none() {
        let failed = with(Check::failed(CheckId::EntraSignIn, "Expired.").at(CLIENT_SECRET));
        assert_eq!(failed.problems(), [Problem::at(CLIENT_SECRET, "Expired.")]);
        assert!(!failed.is_incomplete());
        let silent = with(Check::not_checked(CheckId::EntraSignIn, "No answer."));
        assert!(silent.problems().is_empty() && silent.is_incomplete());
        let nowhere = with(Check::failed(CheckId::EntraSignIn, "Other cloud."));
        assert_eq!(nowhere.problems(), [Problem::at("", "Other cloud.")]);
    }

    #[test]
    fn checks_come_in_order() {
        let mut checks = all_passed();
        checks.reverse();
        let ids: Vec<_> = ConnectionTest::of(checks)
            .checks
            .iter()
            .map(|check| check.id)
            .collect();
        assert_eq!(ids, CheckId::ALL);
    }
}
