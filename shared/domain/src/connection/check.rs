//! What a test of a tenant's credentials found: check by check, with the way out and the field to mend.

use serde::{Deserialize, Serialize};

use crate::base::problem::Problem;

/// The settings' field with the app registration, both of its parts.
pub const ENTRA_APP: &str = "/entraApp";
/// The settings' field with the application (client) id.
pub const CLIENT_ID: &str = "/entraApp/clientId";
/// The settings' field with the client secret.
pub const CLIENT_SECRET: &str = "/entraApp/clientSecret";
/// The settings' field with the Learn365 API key.
pub const LMS_KEY: &str = "/learn365ApiKey";
/// The settings' field with the region's platform address.
pub const LMS_URL: &str = "/lmsUrl";

/// Whose side of the connection a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckSubject {
    /// Microsoft Entra and Graph.
    Entra,
    /// Learn365.
    Learn365,
    /// The learning platform's SCIM service.
    Scim,
}

/// Which check. The names are part of the API: they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckId {
    /// The app gets a token in the tenant's directory.
    EntraSignIn,
    /// It may do what `User.Read.All` allows.
    EntraUserReadAll,
    /// It may do what `Group.ReadWrite.All` allows.
    EntraGroupReadWriteAll,
    /// It may do what `GroupMember.ReadWrite.All` allows.
    EntraGroupMemberReadWriteAll,
    /// It has no more than that, as far as can be told (C-33).
    EntraExcessPermissions,
    /// The address is the platform's, and the key's region.
    Learn365Address,
    /// The platform knows the key.
    Learn365Key,
    /// The key is a Full Control one (S4-016).
    Learn365KeyLevel,
    /// The key was made in the tenant's own environment (S4-002).
    Learn365Tenant,
    /// It may do what `Group.Read.All` allows (S2-13).
    EntraGroupReadAll,
    /// It may do what `GroupMember.Read.All` allows (S2-14).
    EntraGroupMemberReadAll,
    /// People can be read.
    EntraSample,
    /// Graph takes the filter (S3-30).
    EntraFilter,
    /// The chosen groups exist (S3-37).
    EntraGroups,
    /// The platform answers at its address and describes itself.
    ScimAddress,
    /// It accepts the token, and users and groups can be read.
    ScimRead,
}

impl CheckId {
    /// Every check of a tenant's settings, in the order in which they are shown.
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

    /// Every check of the directory sync, in the order in which they are shown.
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

    /// Whose side it looks at.
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

    /// What it is called, with permissions under the names Microsoft shows (C-12).
    pub const fn title(self) -> &'static str {
        match self {
            Self::EntraSignIn => "The Entra app can sign in",
            Self::EntraUserReadAll => "User.Read.All: read people",
            Self::EntraGroupReadWriteAll => "Group.ReadWrite.All: create and rename groups",
            Self::EntraGroupMemberReadWriteAll => {
                "GroupMember.ReadWrite.All: add and remove members"
            }
            Self::EntraExcessPermissions => "The Entra app has no permissions beyond those",
            Self::Learn365Address => "Learn365 answers at its address",
            Self::Learn365Key => "Learn365 accepts the API key",
            Self::Learn365KeyLevel => "The API key has Full Control",
            Self::Learn365Tenant => "The API key is of your organisation",
            Self::EntraGroupReadAll => "Group.Read.All: read groups",
            Self::EntraGroupMemberReadAll => "GroupMember.Read.All: read members",
            Self::EntraSample => "People can be read",
            Self::EntraFilter => "Microsoft Graph takes the filter",
            Self::EntraGroups => "The chosen groups exist",
            Self::ScimAddress => "The learning platform answers at its SCIM address",
            Self::ScimRead => "The learning platform accepts the token",
        }
    }

    /// Whether the connection works without it: such a check warns at most.
    const fn is_advice(self) -> bool {
        matches!(self, Self::EntraExcessPermissions)
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Passed,
    /// It will not work like this.
    Failed,
    /// It works, but somebody should look at it.
    Warning,
    /// Nothing is known: the other side did not answer, or something before it failed.
    NotChecked,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Which check; a name that stays.
    pub id: CheckId,
    /// Whose side it looks at.
    pub subject: CheckSubject,
    /// How it ended.
    pub status: CheckStatus,
    /// What was looked at.
    pub title: String,
    /// What was found, and the way out when it is not as it should be.
    pub detail: String,
    /// JSON pointer to the field of the settings that is at fault, if one is.
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

    /// It is as it should be.
    pub fn passed(id: CheckId, detail: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::Passed, detail)
    }

    /// It will not work; say how to mend it.
    pub fn failed(id: CheckId, detail: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::Failed, detail)
    }

    /// It works, but somebody should look at it.
    pub fn warning(id: CheckId, detail: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::Warning, detail)
    }

    /// Nothing is known; say why.
    pub fn not_checked(id: CheckId, reason: impl Into<String>) -> Self {
        Self::new(id, CheckStatus::NotChecked, reason)
    }

    /// The same, with the field that is at fault.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }
}

/// What a test of both sides found. Nothing was written anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    /// Whether everything the service needs was looked at and is as it should
    /// be. Warnings do not count, and neither do permissions beyond the needed
    /// ones; a check that could not be made does, since nothing is known then.
    pub ok: bool,
    /// All checks, in the order of [`CheckId::ALL`].
    pub checks: Vec<Check>,
}

impl ConnectionTest {
    /// Puts the checks in order and sums them up.
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

    /// The failed checks as findings about the settings, for an answer that
    /// refuses them. A check that could not be made is none: the settings may
    /// be right.
    pub fn problems(&self) -> Vec<Problem> {
        self.ended(CheckStatus::Failed)
            .map(|check| Problem::at(check.pointer.clone().unwrap_or_default(), &check.detail))
            .collect()
    }

    /// Whether something that is needed could not be looked at.
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
            serde_json::to_value(&test).expect("plain data"),
            json!({ "ok": false, "checks": [{
                "id": "learn365_key_level",
                "subject": "learn365",
                "status": "failed",
                "title": "The API key has Full Control",
                "detail": "It is Read Only.",
                "pointer": "/learn365ApiKey",
            }]})
        );
        let names = CheckId::ALL.map(|id| serde_json::to_value(id).expect("plain data"));
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
        assert!(!ConnectionTest::of(Vec::new()).ok, "nothing was looked at");
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
