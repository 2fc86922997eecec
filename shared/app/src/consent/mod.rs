//! The service's own app in customers' directories: sign-in, consent, and the proof that it works (S0).

mod revoked;

use std::time::Duration;

use chrono::Utc;
use rollcall_clients::entra::{Entra, EntraErrorKind, ServiceApp};
use rollcall_clients::graph::{Graph, GraphError, OrganizationFacts, TokenSource};
use rollcall_clients::http::Http;
use rollcall_clients::store::StoreError;
use rollcall_clients::vault::VaultError;
use rollcall_domain::base::audit::{Actor, AuditEvent};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::{Cause, DELEGATED_SCOPES, EntraConnection, ReportTo};

use super::Services;
use super::clients::ConnectError;

/// Where Microsoft sends browsers back to, below the API's address.
pub const CALLBACK: &str = "/oauth/callback";
/// Writers of one connection that meet repeat so often.
const TRIES: u32 = 5;

/// The service's own app cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The deployment lacks a setting.
    #[error("this deployment has no {0}: nothing can be connected")]
    Setting(&'static str),
    /// The app's secret cannot be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Why the service's own app does not work in a directory.
#[derive(Debug)]
pub struct ConsentProofError {
    /// Why.
    pub cause: Cause,
    /// The code to show.
    pub code: Option<String>,
    /// Whether it may work in a while: Microsoft spreads a consent within minutes.
    pub may_follow: bool,
}

impl ConsentProofError {
    /// Microsoft did not answer in time.
    fn silent() -> Self {
        Self {
            cause: Cause::Transient,
            code: None,
            may_follow: true,
        }
    }
}

impl Services {
    /// This service's own app.
    ///
    /// # Errors
    /// What the deployment lacks.
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

    /// The authority people and accounts sign in at.
    pub fn entra(&self) -> &Entra {
        &self.entra
    }

    /// The HTTP client all third parties are asked with.
    pub fn http(&self) -> Http {
        self.http.clone()
    }

    /// What a catalog's account is asked to allow, named with the cloud's own
    /// resource: short names mean the worldwide Graph.
    pub fn mail_scopes(&self) -> Vec<String> {
        let graph = &self.settings.graph_url;
        DELEGATED_SCOPES
            .map(|scope| format!("{graph}/{scope}"))
            .into()
    }

    /// What the directory is asked to allow: everything the app is registered for.
    pub fn consent_scope(&self) -> String {
        format!("{}/.default", self.settings.graph_url)
    }

    /// The tenant's directory through this service's own app.
    ///
    /// # Errors
    /// When the deployment has no app.
    pub async fn directory(&self, tenant: TenantId) -> Result<Graph, DirectoryError> {
        let app = self.service_app().await?;
        let tokens = TokenSource::new(self.entra.clone(), tenant, &app.client_id, app.secret);
        Ok(
            Graph::new(self.http.clone(), &self.settings.graph_url, tokens)
                .map_err(ConnectError::from)?,
        )
    }

    /// Proves that the app works in the directory, with a token made now: what a
    /// browser brings back from the consent can be forged, this cannot.
    ///
    /// # Errors
    /// Why it does not, and whether waiting helps.
    pub async fn prove_directory(
        &self,
        tenant: TenantId,
    ) -> Result<OrganizationFacts, ConsentProofError> {
        let unusable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, alarm = "service-credential", "this service's own app cannot be used");
            ConsentProofError::silent()
        };
        let app = self.service_app().await.map_err(|error| unusable(&error))?;
        // A cache of its own: a token from before the consent lacks its permissions.
        let entra = Entra::new(self.http.clone(), &self.settings.entra_url);
        let entra = entra.map_err(|error| unusable(&error))?;
        let tokens = TokenSource::new(entra, tenant, &app.client_id, app.secret);
        let graph = Graph::new(self.http.clone(), &self.settings.graph_url, tokens);
        let graph = graph.map_err(|error| unusable(&error))?;
        let facts = graph
            .organization()
            .await
            .map_err(|error| unproved(&error))?;
        if facts.id == tenant {
            return Ok(facts);
        }
        tracing::error!(%tenant, "a token of this tenant opens another directory");
        Err(ConsentProofError {
            cause: Cause::WrongAccount,
            code: None,
            may_follow: false,
        })
    }

    /// The same, tried again for a while with growing pauses.
    ///
    /// # Errors
    /// The last reason.
    pub async fn prove_directory_within(
        &self,
        tenant: TenantId,
        patience: Duration,
    ) -> Result<OrganizationFacts, ConsentProofError> {
        let give_up = tokio::time::Instant::now() + patience;
        let mut pause = Duration::from_millis(500);
        loop {
            let left = give_up.saturating_duration_since(tokio::time::Instant::now());
            let tried = tokio::time::timeout(left, self.prove_directory(tenant)).await;
            match tried.unwrap_or_else(|_| Err(ConsentProofError::silent())) {
                Err(waits) if waits.may_follow => {
                    if tokio::time::Instant::now() + pause > give_up {
                        return Err(waits);
                    }
                }
                done => return done,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Changes the connection to the directory, whoever else does at the moment.
    ///
    /// # Errors
    /// When the table does not answer, or the change meets others again and again.
    pub async fn change_entra_connection(
        &self,
        tenant: TenantId,
        events: &[AuditEvent],
        change: impl Fn(Option<EntraConnection>) -> EntraConnection,
    ) -> Result<EntraConnection, StoreError> {
        for _ in 0..TRIES {
            let stored = self.store.entra_connection(tenant).await?;
            let version = stored.as_ref().map(|stored| stored.version);
            let after = change(stored.map(|stored| stored.value));
            let put = self
                .store
                .put_entra_connection(tenant, &after, version, events);
            match put.await {
                Ok(()) => return Ok(after),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }

    /// Tries to prove a consent that was given before (on a tick), and notes how
    /// that ended.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn finish_consent(&self, tenant: TenantId) -> Result<(), StoreError> {
        let stored = self.store.entra_connection(tenant).await?;
        let Some(waiting) = stored
            .map(|stored| stored.value)
            .filter(|it| it.awaits_proof)
        else {
            return Ok(());
        };
        let by: Actor = waiting.by.clone();
        self.record_consent_proof(tenant, &by, self.prove_directory(tenant).await)
            .await
            .map(|_| ())
    }

    /// Notes how a proof ended.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn record_consent_proof(
        &self,
        tenant: TenantId,
        by: &Actor,
        proof: Result<OrganizationFacts, ConsentProofError>,
    ) -> Result<EntraConnection, StoreError> {
        use rollcall_domain::base::audit::Action::{ConnectionMade, ConnectionRefused};
        let now = Utc::now();
        let event =
            |action| AuditEvent::new(now, by.clone(), action).on("entra", "Microsoft Entra ID");
        let blank = |before: Option<EntraConnection>| {
            before.unwrap_or_else(|| EntraConnection::begun(None, now, by.clone(), now))
        };
        match proof {
            Ok(facts) => {
                let events = [event(ConnectionMade).with("directory", &facts.display_name)];
                let change = |before| blank(before).proved(&facts.display_name, now);
                self.change_entra_connection(tenant, &events, change).await
            }
            Err(failed) => {
                let over = |it: &EntraConnection| !failed.may_follow || it.proof_is_over(now);
                let stored = self.store.entra_connection(tenant).await?;
                let known = stored.map(|stored| stored.value);
                if let Some(waits) = known.filter(|it| !over(it)) {
                    return Ok(waits);
                }
                let code = failed.code.clone();
                let events =
                    [event(ConnectionRefused).with("code", code.clone().unwrap_or_default())];
                let change = |before| blank(before).refused(failed.cause, code.clone(), now);
                self.change_entra_connection(tenant, &events, change).await
            }
        }
    }
}

/// A directory that cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The service's app cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// The client could not be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

fn unproved(error: &GraphError) -> ConsentProofError {
    match error {
        // Ours to mend: the tenant waits for it, and is told nothing.
        GraphError::Token(error) if error.cause().report_to() == ReportTo::Operators => {
            let code = error.codes();
            tracing::error!(
                code,
                alarm = "service-credential",
                "this service's own app is refused"
            );
            ConsentProofError::silent()
        }
        GraphError::Token(error) => ConsentProofError {
            cause: error.cause(),
            code: Some(error.code()),
            may_follow: matches!(
                error.kind(),
                EntraErrorKind::AppUnknown
                    | EntraErrorKind::ConsentMissing
                    | EntraErrorKind::Transient
            ),
        },
        GraphError::Api(error) => ConsentProofError {
            cause: if error.is_auth() {
                Cause::ConsentMissing
            } else {
                Cause::Transient
            },
            code: error.status().map(|status| format!("HTTP {status}")),
            may_follow: error.is_auth() || error.is_transient(),
        },
    }
}
