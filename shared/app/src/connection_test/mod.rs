//! Tests a tenant's entered or stored credentials for Entra, Graph and Learn365. Writes nothing.

mod diagnosis;

use std::time::Duration;

use rollcall_clients::graph::{GraphReader, KnownPeople, TokenSource};
use rollcall_clients::http::{ApiError, Secret};
use rollcall_clients::learn365::{KeyTest, Learn365};
use rollcall_clients::vault::AppRegistration;
use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_domain::connection::{Check, CheckId, CheckStatus, ConnectionTest, LMS_KEY};
use tokio::time::{Instant, timeout_at};

use super::Services;
use diagnosis::{Diagnosis, without_address, without_app, without_key};

/// The maximum time for each side; both are tested concurrently.
const PATIENCE: Duration = Duration::from_secs(10);
/// The maximum time for the comparison of both sides, which follows the tests. Together with
/// [`PATIENCE`] it is well below the 30 s timeout of API Gateway.
const COMPARISON: Duration = Duration::from_secs(5);

/// The credentials to test. For values that are missing or blank, the stored ones are used.
#[derive(Debug, Clone, Default)]
pub struct EnteredCredentials {
    /// The LMS address of the region; blank for the default of the deployment.
    pub lms_url: String,
    /// Application (client) id.
    pub client_id: Option<String>,
    /// Client secret.
    pub client_secret: Option<Secret>,
    /// Learn365 API key.
    pub lms_key: Option<Secret>,
}

impl EnteredCredentials {
    fn client_id(&self) -> Option<&str> {
        self.client_id
            .as_deref()
            .map(str::trim)
            .filter(|id| !id.is_empty())
    }

    fn client_secret(&self) -> Option<&Secret> {
        self.client_secret.as_ref().filter(|it| !is_blank(it))
    }

    fn lms_key(&self) -> Option<&Secret> {
        self.lms_key.as_ref().filter(|it| !is_blank(it))
    }
}

fn is_blank(secret: &Secret) -> bool {
    secret.expose().trim().is_empty()
}

impl Services {
    /// Tests both sides concurrently, each for ten seconds at most, and then whether they belong
    /// together. Never fails as a whole: a side that does not respond results in checks with the
    /// status "not checked".
    ///
    /// Nothing is written to either side, and nothing is stored.
    pub async fn test_connection(
        &self,
        tenant: TenantId,
        entered: &EnteredCredentials,
    ) -> ConnectionTest {
        let deadline = Instant::now() + PATIENCE;
        // Boxed, because a dozen requests in one future make a large one.
        let (entra, lms) = tokio::join!(
            Box::pin(self.test_entra(tenant, entered, deadline)),
            Box::pin(self.test_lms(tenant, entered, deadline)),
        );
        let (graph, mut checks) = entra;
        checks.extend(lms.checks);
        let own = test_tenant(graph, &checks, &lms.people);
        let own = Box::pin(own).await;
        checks.push(own);
        let test = ConnectionTest::of(checks);
        tracing::info!(%tenant, ok = test.ok, "tested the connection");
        test
    }

    /// Tests the Entra side. Returns also the client for the comparison, if it could be created.
    async fn test_entra(
        &self,
        tenant: TenantId,
        entered: &EnteredCredentials,
        deadline: Instant,
    ) -> (Option<GraphReader>, Vec<Check>) {
        let app = match self.app_to_test(tenant, entered, deadline).await {
            Ok(app) => app,
            Err(diagnosis) => return (None, without_app(&diagnosis)),
        };
        let tokens = TokenSource::new(self.entra.clone(), tenant, &app.client_id, app.secret());
        match GraphReader::new(self.http.clone(), &self.settings.graph_url, tokens) {
            Ok(graph) => {
                let graph = graph.with_quota(self.quota(tenant));
                let checks = graph.clone().with_deadline(deadline).check().await;
                (Some(graph), checks)
            }
            Err(error) => (None, without_app(&Diagnosis::client(&error))),
        }
    }

    async fn app_to_test(
        &self,
        tenant: TenantId,
        entered: &EnteredCredentials,
        deadline: Instant,
    ) -> Result<AppRegistration, Diagnosis> {
        if let (Some(id), Some(secret)) = (entered.client_id(), entered.client_secret()) {
            return Ok(AppRegistration::new(id, secret.expose()));
        }
        let stored = timeout_at(deadline, self.vault.app_registration(tenant)).await;
        let stored = stored.map_err(|_| Diagnosis::late())??;
        let id = entered.client_id().unwrap_or(&stored.client_id);
        let secret = entered.client_secret().cloned();
        let secret = secret.unwrap_or_else(|| stored.secret());
        Ok(AppRegistration::new(id, secret.expose()))
    }

    /// Tests the Learn365 side.
    async fn test_lms(
        &self,
        tenant: TenantId,
        entered: &EnteredCredentials,
        deadline: Instant,
    ) -> KeyTest {
        let url = self.lms_url(&entered.lms_url);
        if !self.settings.is_lms_address(url) {
            return without_address(url);
        }
        let key = match self.key_to_test(tenant, entered, deadline).await {
            Ok(key) => key,
            Err(diagnosis) => return without_key(&diagnosis),
        };
        let client = |url: &str| {
            let client = Learn365::new(self.http.clone(), url, key.clone())?;
            Ok::<_, ApiError>(client.with_deadline(deadline))
        };
        let default = self.settings.learn365_url.as_str();
        let elsewhere = (url.trim_end_matches('/') != default).then(|| client(default));
        match (client(url), elsewhere.transpose()) {
            (Ok(lms), Ok(elsewhere)) => lms.verify_key(elsewhere.as_ref()).await,
            (Err(error), _) | (_, Err(error)) => without_key(&Diagnosis::client(&error)),
        }
    }

    async fn key_to_test(
        &self,
        tenant: TenantId,
        entered: &EnteredCredentials,
        deadline: Instant,
    ) -> Result<Secret, Diagnosis> {
        if let Some(key) = entered.lms_key() {
            return Ok(key.clone());
        }
        let stored = timeout_at(deadline, self.vault.lms_key(tenant)).await;
        Ok(stored.map_err(|_| Diagnosis::late())??)
    }
}

/// Checks whether the users that the key can read are in the directory that the app signs in to.
/// This is the only evidence of which tenant a key belongs to (S4-002).
async fn test_tenant(graph: Option<GraphReader>, checks: &[Check], people: &[ObjectId]) -> Check {
    let id = CheckId::Learn365Tenant;
    let passed = |id: CheckId| {
        let mut all = checks.iter();
        all.any(|check| check.id == id && check.status == CheckStatus::Passed)
    };
    if !passed(CheckId::Learn365Key) {
        return Check::not_checked(id, "Learn365 has to accept the key first.");
    }
    let graph = graph.filter(|_| passed(CheckId::EntraUserReadAll));
    let Some(graph) = graph else {
        let reason = "This requires the Entra app with User.Read.All, because the users that the \
                      key shows are compared with your directory.";
        return Check::not_checked(id, reason);
    };
    let deadline = Instant::now() + COMPARISON;
    let graph = graph.with_deadline(deadline);
    match timeout_at(deadline, graph.known_people(people)).await {
        Ok(Ok(found)) => tenant_check(found),
        Ok(Err(error)) => Check::not_checked(id, format!("It could not be checked ({error}).")),
        Err(_) => Check::not_checked(id, "Microsoft Graph did not answer in time."),
    }
}

/// Returns the result of the comparison. An account's object id exists in one directory only, so
/// one account known to both sides is proof. If there is none, all users could have left the
/// directory, but then there would be no members to manage.
fn tenant_check(found: KnownPeople) -> Check {
    let id = CheckId::Learn365Tenant;
    match found {
        KnownPeople { asked: 0, .. } => Check::not_checked(
            id,
            "None of the users that the key shows has a Microsoft Entra account, so they cannot be \
             compared with your directory.",
        ),
        KnownPeople { asked, known: 0 } => Check::failed(
            id,
            format!(
                "None of {asked} users that the key shows is in your Microsoft Entra directory: the \
                 key was created in another organisation's Learn365. Create one in your own."
            ),
        )
        .at(LMS_KEY),
        KnownPeople { asked, known } => Check::passed(
            id,
            format!(
                "{known} of {asked} users that the key shows are in your Microsoft Entra directory."
            ),
        ),
    }
}

#[cfg(test)]
mod tests;
