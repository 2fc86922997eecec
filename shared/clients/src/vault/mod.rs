//! Stores credentials in Secrets Manager; they are used but never displayed.

mod grants;
mod sync;
mod upsert;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use rollcall_domain::base::ids::TenantId;
use serde::{Deserialize, Serialize};

use crate::http::Secret;
pub use grants::{Draft, StoredGrant};
pub use sync::SyncCredentials;

/// Lifetime of a cached secret; it is short, so that a replaced one is used soon.
const CACHED: Duration = Duration::from_mins(5);

/// The error of a credential that could not be read or written; never contains the credential.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It was never stored.
    #[error("the {0} was never entered; save it under Settings")]
    Missing(&'static str),
    /// The stored value is invalid.
    #[error("the stored {0} is unreadable; enter it again under Settings")]
    Unreadable(&'static str),
    /// The vault returned an error.
    #[error("the secret store returned an error: {0}")]
    Service(String),
}

/// The tenant's app registration in Entra.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRegistration {
    /// Application (client) id.
    pub client_id: String,
    /// The secret's value.
    client_secret: String,
}

impl AppRegistration {
    /// Creates a registration from an administrator's input.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
        }
    }

    /// Returns the secret in a wrapper that cannot be printed.
    pub fn secret(&self) -> Secret {
        Secret::new(self.client_secret.clone())
    }
}

impl std::fmt::Debug for AppRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppRegistration")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The stored credentials of a tenant, without their values (S4-023).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredCredentials {
    /// Application (client) id of the app registration, which is not secret.
    pub client_id: Option<String>,
    /// The client secret.
    pub client_secret: CredentialMark,
    /// The Learn365 API key.
    pub lms_key: CredentialMark,
}

/// The state of a credential, and a hint by which administrators recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialMark {
    /// True if a valid one is stored.
    pub is_set: bool,
    /// Its last four characters, if it is long enough to display them safely.
    pub ending: Option<String>,
}

impl CredentialMark {
    fn of(secret: &Secret) -> Self {
        Self {
            is_set: true,
            ending: secret.ending(),
        }
    }
}

type Cache = Arc<Mutex<HashMap<String, (Instant, Secret)>>>;

/// The vault of one deployment; secret names start with its prefix, as required by its IAM policy.
#[derive(Debug, Clone)]
pub struct Vault {
    client: Client,
    prefix: String,
    cache: Cache,
}

/// Owner of the service's own secrets, which operators store; they belong to no tenant.
const SERVICE: &str = "service";
const CLIENT_SECRET: (&str, &str) = ("client-secret", "client secret of this service's own app");
const ACS_KEY: (&str, &str) = ("acs-key", "access key of Azure Communication Services");
const LMS_KEY: (&str, &str) = ("learn365", "Learn365 API key");
const APP: (&str, &str) = ("entra-app", "Entra ID app registration");

impl Vault {
    /// Creates a vault whose secrets start with `prefix/`.
    pub fn new(config: &aws_config::SdkConfig, prefix: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            prefix: prefix.into(),
            cache: Cache::default(),
        }
    }

    /// Returns the tenant's Learn365 API key.
    pub async fn lms_key(&self, tenant: TenantId) -> Result<Secret, VaultError> {
        self.read(tenant, LMS_KEY).await
    }

    /// Stores the tenant's Learn365 API key.
    pub async fn put_lms_key(&self, tenant: TenantId, key: &Secret) -> Result<(), VaultError> {
        self.write(tenant, LMS_KEY.0, key.expose()).await
    }

    /// Returns the tenant's app registration.
    pub async fn app_registration(&self, tenant: TenantId) -> Result<AppRegistration, VaultError> {
        let text = self.read(tenant, APP).await?;
        serde_json::from_str(text.expose()).map_err(|_| VaultError::Unreadable(APP.1))
    }

    /// Stores the tenant's app registration.
    pub async fn put_app_registration(
        &self,
        tenant: TenantId,
        app: &AppRegistration,
    ) -> Result<(), VaultError> {
        let text = serde_json::to_string(app).map_err(|_| VaultError::Unreadable(APP.1))?;
        self.write(tenant, APP.0, &text).await
    }

    /// Returns which credentials are stored for the tenant. An invalid credential counts as not
    /// set, because it has to be entered again.
    ///
    /// # Errors
    /// If the vault returns an error.
    pub async fn stored(&self, tenant: TenantId) -> Result<StoredCredentials, VaultError> {
        let (app, key) = tokio::join!(self.app_registration(tenant), self.lms_key(tenant));
        let (app, key) = (if_usable(app)?, if_usable(key)?);
        let mark = |secret: Option<Secret>| {
            let mark = secret.as_ref().map(CredentialMark::of);
            mark.unwrap_or_default()
        };
        Ok(StoredCredentials {
            client_secret: mark(app.as_ref().map(AppRegistration::secret)),
            client_id: app.map(|app| app.client_id),
            lms_key: mark(key),
        })
    }

    /// Removes a tenant's credentials from the cache, so that they are read again: another process
    /// may have replaced them.
    pub fn forget(&self, tenant: TenantId) {
        if let Ok(mut cache) = self.cache.lock() {
            for (kind, _) in [LMS_KEY, APP] {
                cache.remove(&self.name(tenant, kind));
            }
        }
    }

    /// Returns the secret of this service's own app registration, which operators store under
    /// `<prefix>/service/client-secret`.
    pub async fn client_secret(&self) -> Result<Secret, VaultError> {
        self.read(SERVICE, CLIENT_SECRET).await
    }

    /// Stores this service's client secret; for the local stack and for operators' tools.
    pub async fn put_client_secret(&self, secret: &Secret) -> Result<(), VaultError> {
        self.write(SERVICE, CLIENT_SECRET.0, secret.expose()).await
    }

    /// Returns the access key of Azure Communication Services in Base64, which operators store
    /// under `<prefix>/service/acs-key`.
    pub async fn acs_key(&self) -> Result<Secret, VaultError> {
        self.read(SERVICE, ACS_KEY).await
    }

    /// Stores the ACS access key; for the local stack and for operators' tools.
    pub async fn put_acs_key(&self, key: &Secret) -> Result<(), VaultError> {
        self.write(SERVICE, ACS_KEY.0, key.expose()).await
    }

    fn name(&self, owner: impl std::fmt::Display, kind: &str) -> String {
        format!("{}/{owner}/{kind}", self.prefix)
    }

    async fn read(
        &self,
        owner: impl std::fmt::Display,
        (kind, title): (&'static str, &'static str),
    ) -> Result<Secret, VaultError> {
        let name = self.name(owner, kind);
        if let Some(secret) = self.cached(&name) {
            return Ok(secret);
        }
        let secret = self.fetch(&name, title).await?;
        self.remember(name, &secret);
        Ok(secret)
    }

    /// Reads a secret, bypassing the cache.
    async fn fetch(&self, name: &str, title: &'static str) -> Result<Secret, VaultError> {
        let answer = match self.client.get_secret_value().secret_id(name).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError::is_resource_not_found_exception) => return Err(VaultError::Missing(title)),
            Err(error) => return Err(VaultError::Service(DisplayErrorContext(&error).to_string())),
        };
        let text = answer.secret_string.ok_or(VaultError::Unreadable(title))?;
        Ok(Secret::new(text))
    }

    async fn write(
        &self,
        owner: impl std::fmt::Display,
        kind: &str,
        value: &str,
    ) -> Result<(), VaultError> {
        let name = self.name(owner, kind);
        self.store(&name, value).await?;
        self.remember(name, &Secret::new(value.to_owned()));
        Ok(())
    }

    fn cached(&self, name: &str) -> Option<Secret> {
        let cache = self.cache.lock().ok()?;
        let (read, secret) = cache.get(name)?;
        (read.elapsed() < CACHED).then(|| secret.clone())
    }

    fn remember(&self, name: String, secret: &Secret) {
        if let Ok(mut cache) = self.cache.lock() {
            cache.retain(|_, (read, _)| read.elapsed() < CACHED);
            cache.insert(name, (Instant::now(), secret.clone()));
        }
    }
}

/// Returns the credential if there is a valid one.
fn if_usable<T>(read: Result<T, VaultError>) -> Result<Option<T>, VaultError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(VaultError::Missing(_) | VaultError::Unreadable(_)) => Ok(None),
        Err(silent @ VaultError::Service(_)) => Err(silent),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::aws;
    use crate::http::testing::{Stub, reply};

    /// Returns a vault that contains `app` and `key` unchanged, or nothing.
    async fn vault(app: Option<&'static str>, key: Option<&'static str>) -> (Stub, Vault) {
        let stub = Stub::start(move |request| {
            let stored = if request.contains("/entra-app") {
                app
            } else {
                key
            };
            let Some(stored) = stored else {
                let kind = "Content-Type: application/x-amz-json-1.1\r\n";
                return reply(400, kind, r#"{"__type":"ResourceNotFoundException"}"#);
            };
            let body = serde_json::json!({ "Name": "x", "SecretString": stored });
            reply(200, "", &body.to_string())
        })
        .await;
        let config = aws::emulator(&stub.url, "eu-central-1").await;
        let vault = Vault::new(&config, "rollcall");
        (stub, vault)
    }

    fn tenant() -> TenantId {
        TenantId::new(Uuid::from_u128(1))
    }

    const APP: &str = r#"{"clientId":"the-app","clientSecret":"abc~8Q-secret-value"}"#;

    /// Proves S4-023: only the last characters of a stored credential are displayed.
    #[tokio::test]
    async fn stored_credentials_show_their_ends_only() {
        let (_stub, vault) = vault(Some(APP), Some("short-key")).await;
        let stored = vault.stored(tenant()).await.expect("no result");
        assert_eq!(stored.client_id.as_deref(), Some("the-app"));
        assert_eq!(stored.client_secret.ending.as_deref(), Some("alue"));
        let too_short = CredentialMark {
            is_set: true,
            ending: None,
        };
        assert_eq!(stored.lms_key, too_short);
        let shown = format!("{stored:?}");
        assert!(
            !shown.contains("secret-v") && !shown.contains("short-key"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn what_is_missing_or_unreadable_is_not_set() {
        let (_stub, nothing) = vault(None, None).await;
        let stored = nothing.stored(tenant()).await.expect("no result");
        assert_eq!(stored, StoredCredentials::default());
        let (_stub, damaged) = vault(Some("{"), Some("a-long-enough-key")).await;
        let stored = damaged.stored(tenant()).await.expect("no result");
        assert!(!stored.client_secret.is_set && stored.client_id.is_none());
        assert_eq!(stored.lms_key.ending.as_deref(), Some("-key"));
    }
}
