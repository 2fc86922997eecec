//! The service's own app registration, and the clients and scopes of its sign-ins.

use rollcall_clients::entra::{Entra, ServiceApp};
use rollcall_clients::http::Http;
use rollcall_clients::vault::VaultError;
use rollcall_domain::connection::DELEGATED_SCOPES;

use super::Services;

/// The path, below the API's address, to which Microsoft redirects browsers.
pub const CALLBACK: &str = "/oauth/callback";

/// The reason why the service's own app cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting is missing in the deployment.
    #[error("this deployment lacks the setting {0}, so connections cannot be made")]
    Setting(&'static str),
    /// The app's secret cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Services {
    /// Returns the service's own app.
    ///
    /// # Errors
    /// Returns an error if a setting is missing or the secret cannot be read.
    pub async fn service_app(&self) -> Result<ServiceApp, AppError> {
        let settings = &self.settings;
        let client_id = settings.client_id.clone();
        let client_id = client_id.ok_or(AppError::Setting("ROLLCALL_CLIENT_ID"))?;
        let public = settings.public_url.as_deref();
        let public = public.ok_or(AppError::Setting("ROLLCALL_PUBLIC_URL"))?;
        Ok(ServiceApp {
            client_id,
            secret: self.vault.client_secret().await?,
            redirect_uri: format!("{public}{CALLBACK}"),
        })
    }

    /// Returns the client of the authority at which users and accounts sign in.
    pub fn entra(&self) -> &Entra {
        &self.entra
    }

    /// Returns the HTTP client for all third parties.
    pub fn http(&self) -> Http {
        self.http.clone()
    }

    /// Returns the scopes to request from a catalog's account, qualified with the cloud's own
    /// resource, because short names refer to the worldwide Graph.
    pub fn mail_scopes(&self) -> Vec<String> {
        let graph = &self.settings.graph_url;
        DELEGATED_SCOPES
            .map(|scope| format!("{graph}/{scope}"))
            .into()
    }

    /// Returns the scope to request from the directory: all permissions that the app is registered
    /// for.
    pub fn consent_scope(&self) -> String {
        format!("{}/.default", self.settings.graph_url)
    }
}
