//! Consent to the service's own app in customers' directories, and the proof of its access (S0).

mod proof;
mod revoked;

use std::time::Duration;

use chrono::Utc;
use rollcall_clients::entra::Entra;
use rollcall_clients::graph::{GraphReader, GraphWriter, OrganizationFacts, TokenSource};
use rollcall_clients::store::{Attempts, StoreError};
use rollcall_domain::base::audit::{Actor, AuditEvent};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::{Cause, EntraConnection};

use super::Services;
use super::clients::ConnectError;
use super::service_app::AppError;
pub use proof::ConsentProofError;

impl Services {
    /// Returns a client that reads the tenant's directory through the service's own app.
    ///
    /// # Errors
    /// Returns an error if the deployment has no app.
    pub async fn directory_reader(&self, tenant: TenantId) -> Result<GraphReader, DirectoryError> {
        Ok(self.directory_writer(tenant).await?.reader().clone())
    }

    /// Returns a client that changes the tenant's directory through the service's own app.
    ///
    /// # Errors
    /// Returns an error if the deployment has no app.
    pub async fn directory_writer(&self, tenant: TenantId) -> Result<GraphWriter, DirectoryError> {
        let app = self.service_app().await?;
        let tokens = TokenSource::new(self.entra.clone(), tenant, &app.client_id, app.secret);
        Ok(
            GraphWriter::new(self.http.clone(), &self.settings.graph_url, tokens)
                .map_err(ConnectError::from)?,
        )
    }

    /// Proves that the app works in the directory, with a token acquired now: the parameters of a
    /// redirect after the consent can be forged, a token cannot.
    ///
    /// # Errors
    /// Returns the reason why the app does not work, and whether it may work later.
    pub async fn prove_directory(
        &self,
        tenant: TenantId,
    ) -> Result<OrganizationFacts, ConsentProofError> {
        let unusable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, alarm = "service-credential", "this service's own app cannot be used");
            ConsentProofError::unavailable()
        };
        let app = self.service_app().await.map_err(|error| unusable(&error))?;
        // Uses a separate cache, because a token from before the consent lacks its permissions.
        let entra = Entra::new(self.http.clone(), &self.settings.entra_url);
        let entra = entra.map_err(|error| unusable(&error))?;
        let tokens = TokenSource::new(entra, tenant, &app.client_id, app.secret);
        let graph = GraphReader::new(self.http.clone(), &self.settings.graph_url, tokens);
        let graph = graph.map_err(|error| unusable(&error))?;
        let facts = graph.organization().await?;
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

    /// Proves the same with retries and growing pauses, until `patience` has elapsed.
    ///
    /// # Errors
    /// Returns the error of the last attempt.
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
            match tried.unwrap_or_else(|_| Err(ConsentProofError::unavailable())) {
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

    /// Changes the connection to the directory, with retries if it is changed concurrently.
    ///
    /// # Errors
    /// Returns an error if the table does not respond, or if too many attempts met concurrent
    /// changes.
    pub async fn change_entra_connection(
        &self,
        tenant: TenantId,
        events: &[AuditEvent],
        change: impl Fn(Option<EntraConnection>) -> EntraConnection,
    ) -> Result<EntraConnection, StoreError> {
        let store = &self.store;
        let mut attempts = Attempts::default();
        loop {
            let stored = store.entra_connection(tenant).await?;
            let version = stored.as_ref().map(|stored| stored.version);
            let after = change(stored.map(|stored| stored.value));
            let put = store.put_entra_connection(tenant, &after, version, events);
            match put.await {
                Ok(()) => return Ok(after),
                Err(error) => attempts.retry(error)?,
            }
        }
    }

    /// Tries to prove an earlier consent (on a tick) and records the result.
    ///
    /// # Errors
    /// Returns an error if the table does not respond.
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

    /// Records the result of a proof.
    ///
    /// # Errors
    /// Returns an error if the table does not respond.
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

/// The reason why a directory cannot be accessed.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The service's app cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// The client could not be created.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}
