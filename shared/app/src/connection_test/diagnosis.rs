//! Why a side of the connection could not even be asked, as checks.

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::KeyTest;
use rollcall_clients::vault::VaultError;
use rollcall_domain::connection::{Check, CheckId, ENTRA_APP, LMS_KEY, LMS_URL};

/// Why a side could not even be asked.
pub(super) struct Diagnosis {
    detail: String,
    /// Whether entering the credential mends it.
    mendable: bool,
}

impl Diagnosis {
    /// The vault does not answer.
    pub(super) fn late() -> Self {
        let detail =
            "The vault with the stored credentials did not answer. Try again in some minutes."
                .to_owned();
        Self {
            detail,
            mendable: false,
        }
    }

    /// A client refused its settings.
    pub(super) fn client(error: &ApiError) -> Self {
        Self {
            detail: format!("The service is not set up for this ({error})."),
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
                tracing::error!(cause, "the vault does not answer");
                Self::late()
            }
        }
    }
}

/// The Entra side when there is no app to test.
pub(super) fn without_app(trouble: &Diagnosis) -> Vec<Check> {
    let mut checks = vec![trouble.check(CheckId::EntraSignIn, ENTRA_APP)];
    let rest = [
        CheckId::EntraUserReadAll,
        CheckId::EntraGroupReadWriteAll,
        CheckId::EntraGroupMemberReadWriteAll,
        CheckId::EntraExcessPermissions,
    ];
    checks.extend(rest.map(|id| Check::not_checked(id, "There is no app to test.")));
    checks
}

/// The Learn365 side when there is no key to test.
pub(super) fn without_key(trouble: &Diagnosis) -> KeyTest {
    let reason = "There is no key to test.";
    let checks = vec![
        Check::not_checked(CheckId::Learn365Address, reason),
        trouble.check(CheckId::Learn365Key, LMS_KEY),
        Check::not_checked(CheckId::Learn365KeyLevel, reason),
    ];
    KeyTest {
        checks,
        people: Vec::new(),
    }
}

/// The key is not sent to an address that is none of the vendor's.
pub(super) fn without_address(url: &str) -> KeyTest {
    let shown: String = url.chars().take(100).collect();
    let detail = format!("{shown:?} is none of the learning platform's regions.");
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
