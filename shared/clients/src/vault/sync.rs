//! Stores the credentials of the directory sync: app registration and SCIM token, in one secret.

use rollcall_domain::base::ids::TenantId;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{AppRegistration, CredentialMark, Vault, VaultError};
use crate::http::Secret;

const SYNC: (&str, &str) = ("directory-sync", "credential of the directory sync");

/// The credentials of a tenant's directory sync. They are never cached, because a run must not use
/// a replaced credential.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncCredentials {
    /// The app registration, if the directory is read with one.
    #[serde(default)]
    pub app: Option<AppRegistration>,
    #[serde(default)]
    token: Option<String>,
    /// The only origin (scheme, host, port) that may receive the token.
    #[serde(default)]
    origin: Option<String>,
}

impl SyncCredentials {
    /// Returns the token of the platform's SCIM service at this address; `None` for any other host.
    /// Table and vault share no transaction, so the configured address may already have changed,
    /// and a token must not be sent to a host it was not entered for.
    pub fn token_for(&self, target: &str) -> Option<Secret> {
        let same = self.origin.is_some() && origin(target) == self.origin;
        self.token.clone().filter(|_| same).map(Secret::new)
    }

    /// Returns the same credentials with another token, for this address.
    #[must_use]
    pub fn with_token(mut self, token: &Secret, target: &str) -> Self {
        self.token = Some(token.expose().to_owned());
        self.origin = origin(target);
        self
    }

    /// Returns whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.app.is_none() && self.token.is_none()
    }

    /// Returns the hints by which administrators recognise the app's secret and the token.
    pub fn marks(&self) -> (CredentialMark, CredentialMark) {
        let mark = |secret: Option<Secret>| secret.as_ref().map(CredentialMark::of);
        let app = mark(self.app.as_ref().map(AppRegistration::secret));
        (
            app.unwrap_or_default(),
            mark(self.token.clone().map(Secret::new)).unwrap_or_default(),
        )
    }
}

fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    Some(url.origin().ascii_serialization())
}

impl std::fmt::Debug for SyncCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncCredentials")
            .field("app", &self.app)
            .field("token", &self.token.is_some())
            .field("origin", &self.origin)
            .finish()
    }
}

impl Vault {
    /// Returns the stored credentials of a tenant; empty if nothing is stored, or if the stored
    /// value is invalid and has to be entered again.
    ///
    /// # Errors
    /// If the vault returns an error.
    pub async fn sync_credentials(&self, tenant: TenantId) -> Result<SyncCredentials, VaultError> {
        match self.fetch(&self.name(tenant, SYNC.0), SYNC.1).await {
            Ok(text) => Ok(serde_json::from_str(text.expose()).unwrap_or_default()),
            Err(VaultError::Missing(_)) => Ok(SyncCredentials::default()),
            Err(error) => Err(error),
        }
    }

    /// Stores the credentials.
    pub async fn put_sync_credentials(
        &self,
        tenant: TenantId,
        credentials: &SyncCredentials,
    ) -> Result<(), VaultError> {
        let text =
            serde_json::to_string(credentials).map_err(|_| VaultError::Unreadable(SYNC.1))?;
        self.store(&self.name(tenant, SYNC.0), &text).await
    }

    /// Deletes the credentials permanently (S3-39).
    pub async fn forget_sync_credentials(&self, tenant: TenantId) -> Result<(), VaultError> {
        self.delete(&self.name(tenant, SYNC.0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves S2-11, S2-16 and X-09: neither secret is printed.
    #[test]
    fn credentials_do_not_print() {
        let mut credentials = SyncCredentials::default().with_token(
            &Secret::new("the-platforms-token"),
            "https://lms.example/scim",
        );
        credentials.app = Some(AppRegistration::new("the-app", "abc~8Q-secret-value"));
        let shown = format!("{credentials:?}");
        assert!(
            shown.contains("the-app")
                && !shown.contains("secret-v")
                && !shown.contains("platforms")
        );
        let (app, token) = credentials.marks();
        assert_eq!(
            (app.ending.as_deref(), token.ending.as_deref()),
            (Some("alue"), Some("oken"))
        );
    }

    /// A token is only sent to the host it was entered for.
    #[test]
    fn a_token_is_for_one_host() {
        let token = Secret::new("the-platforms-token");
        let credentials =
            SyncCredentials::default().with_token(&token, "https://lms.example/scim/v2");
        assert!(
            credentials
                .token_for("https://lms.example/scim/v3")
                .is_some()
        );
        for other in [
            "https://evil.example/scim/v2",
            "http://lms.example/scim/v2",
            "https://lms.example:8443/",
            "",
        ] {
            assert!(credentials.token_for(other).is_none(), "{other}");
        }
        assert!(
            SyncCredentials::default()
                .token_for("https://lms.example")
                .is_none()
        );
    }
}
