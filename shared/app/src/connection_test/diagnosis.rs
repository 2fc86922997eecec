//! The reasons why a side of the connection could not be tested at all, as checks.

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::KeyTest;
use rollcall_clients::vault::VaultError;
use rollcall_domain::connection::{Check, CheckId, ENTRA_APP, LMS_KEY, LMS_URL};

/// The reason why a side could not be tested at all.
pub(super) struct Diagnosis {
    detail: String,
    /// True if the administrator can fix it by entering the credential.
    mendable: bool,
}

impl Diagnosis {
    /// Returns the diagnosis of a secret store that did not respond.
    pub(super) fn late() -> Self {
        let detail =
            "The stored credentials could not be read. Try again in a few minutes.".to_owned();
        Self {
            detail,
            mendable: false,
        }
    }

    /// Returns the diagnosis of a client that rejected its settings.
    pub(super) fn client(error: &ApiError) -> Self {
        Self {
            detail: format!("The service is not configured for this test ({error})."),
            mendable: false,
        }
    }

    fn check(&self, id: CheckId, pointer: &str) -> Check {
        if self.mendable {
            Check::failed(id, &self.detail).at(pointer)
        } else {
            Check::not_checked(id, &self.detail)
        }
    }
}

impl From<VaultError> for Diagnosis {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Missing(what) => Self {
                detail: format!(
                    "The {what} is not stored: it was never entered, or was deleted when the connection was ended. Enter it."
                ),
                mendable: true,
            },
            VaultError::Unreadable(what) => Self {
                detail: format!("The stored {what} is unreadable; enter it again."),
                mendable: true,
            },
            VaultError::Service(cause) => {
                tracing::error!(cause, "the secret store did not respond");
                Self::late()
            }
        }
    }
}

/// Returns the checks of the Entra side if there is no app to test.
pub(super) fn without_app(diagnosis: &Diagnosis) -> Vec<Check> {
    let mut checks = vec![diagnosis.check(CheckId::EntraSignIn, ENTRA_APP)];
    let rest = [
        CheckId::EntraUserReadAll,
        CheckId::EntraGroupReadWriteAll,
        CheckId::EntraGroupMemberReadWriteAll,
        CheckId::EntraExcessPermissions,
    ];
    checks.extend(rest.map(|id| Check::not_checked(id, "There is no app to test.")));
    checks
}

/// Returns the checks of the Learn365 side if there is no key to test.
pub(super) fn without_key(diagnosis: &Diagnosis) -> KeyTest {
    let reason = "There is no key to test.";
    let checks = vec![
        Check::not_checked(CheckId::Learn365Address, reason),
        diagnosis.check(CheckId::Learn365Key, LMS_KEY),
        Check::not_checked(CheckId::Learn365KeyLevel, reason),
    ];
    KeyTest {
        checks,
        people: Vec::new(),
    }
}

/// Returns the checks for an address outside the vendor's domains, to which the key is not sent.
pub(super) fn without_address(url: &str) -> KeyTest {
    let shown: String = url.chars().take(100).collect();
    let detail = format!("{shown:?} is not one of the learning platform's regions.");
    let reason = "The key was not sent to this address.";
    let checks = vec![
        Check::failed(CheckId::Learn365Address, detail).at(LMS_URL),
        Check::not_checked(CheckId::Learn365Key, reason),
        Check::not_checked(CheckId::Learn365KeyLevel, reason),
    ];
    KeyTest {
        checks,
        people: Vec::new(),
    }
}
