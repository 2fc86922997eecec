//! Tests a directory sync as configured: credentials, each permission, the filters and the
//! platform. Writes nothing (S2-30).

use std::time::Duration;

use rollcall_clients::graph::{GraphError, GraphReader, SyncApp};
use rollcall_clients::http::ApiError;
use rollcall_clients::scim::Scim;
use rollcall_clients::vault::{SyncCredentials, VaultError};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::{Check, CheckId, CheckStatus, ConnectionTest, ENTRA_APP};
use rollcall_domain::directory_sync::{SourceConnection, SyncConfig, SyncState};
use tokio::time::Instant;

use super::super::Services;
use super::SyncClientError;

/// The maximum time for both sides together: below the 30 s timeout of API Gateway.
const PATIENCE: Duration = Duration::from_secs(20);
/// JSON pointers to the configuration's fields that checks refer to.
const TARGET: &str = "/target";
const TOKEN: &str = "/scimToken";
const FILTER: &str = "/filters/graph";
const GROUPS: &str = "/filters/groups";

/// The sync to test.
#[derive(Clone, Copy)]
struct SyncToTest<'a> {
    config: &'a SyncConfig,
    source: Option<&'a SourceConnection>,
    credentials: &'a SyncCredentials,
}

impl Services {
    /// Tests both sides of a sync concurrently, with the stored credentials. Facts that cannot be
    /// determined result in checks with the status "not checked".
    ///
    /// # Errors
    /// Returns an error if the secret store does not respond.
    pub async fn test_sync(
        &self,
        tenant: TenantId,
        state: &SyncState,
    ) -> Result<ConnectionTest, VaultError> {
        let credentials = self.vault.sync_credentials(tenant).await?;
        let what = SyncToTest {
            config: &state.config,
            source: state.source.as_ref(),
            credentials: &credentials,
        };
        let deadline = Instant::now() + PATIENCE;
        let (directory, platform) = tokio::join!(
            Box::pin(self.test_directory(tenant, what, deadline)),
            Box::pin(self.test_target(what, deadline)),
        );
        let mut checks = directory;
        checks.extend(platform);
        let test = ConnectionTest::of(checks);
        tracing::info!(%tenant, ok = test.ok, "tested the directory sync");
        Ok(test)
    }

    async fn test_directory(
        &self,
        tenant: TenantId,
        what: SyncToTest<'_>,
        deadline: Instant,
    ) -> Vec<Check> {
        let made = self.sync_directory(tenant, what.source, what.credentials);
        let graph = match made.await {
            Ok(graph) => graph.with_deadline(deadline),
            Err(error) => return vec![unmade(CheckId::EntraSignIn, ENTRA_APP, &error)],
        };
        let app = match what.source {
            Some(SourceConnection::Consent) => SyncApp::Ours,
            _ => SyncApp::Customers,
        };
        let mut checks = graph.check_for_sync(what.config.needs_groups(), app).await;
        let reads = |id| {
            let mut all = checks.iter();
            all.any(|check: &Check| check.id == id && check.status == CheckStatus::Passed)
        };
        let (people, groups) = (
            reads(CheckId::EntraUserReadAll),
            reads(CheckId::EntraGroupReadAll),
        );
        checks.push(sample(&graph, people).await);
        if let Some(filter) = &what.config.filters.graph {
            checks.push(filtered(&graph, filter, people).await);
        }
        if let Some(chosen) = &what.config.filters.groups {
            checks.push(chosen_groups(&graph, chosen, groups).await);
        }
        checks
    }

    async fn test_target(&self, what: SyncToTest<'_>, deadline: Instant) -> Vec<Check> {
        let scim = match self.sync_target(&what.config.target, what.credentials) {
            Ok(scim) => scim.with_deadline(deadline),
            Err(error) => {
                let pointer = match error {
                    SyncClientError::Missing(_) => TOKEN,
                    _ => TARGET,
                };
                return vec![unmade(CheckId::ScimAddress, pointer, &error)];
            }
        };
        platform(&scim).await
    }
}

fn unmade(id: CheckId, pointer: &str, error: &SyncClientError) -> Check {
    if error.needs_person() {
        let text = error.to_string();
        let mut letters = text.chars();
        let first: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        return Check::failed(id, format!("{first}{}.", letters.as_str())).at(pointer);
    }
    tracing::error!(%error, "a client of the directory sync could not be created");
    Check::not_checked(
        id,
        "It could not be checked now. Try again in a few minutes.",
    )
}

async fn sample(graph: &GraphReader, reads: bool) -> Check {
    let id = CheckId::EntraSample;
    if !reads {
        return Check::not_checked(id, "This requires User.Read.All.");
    }
    match graph.count_people().await {
        Ok(0) => Check::failed(id, "The directory shows no users."),
        Ok(count) => Check::passed(
            id,
            format!("The directory has {count} users, including guests."),
        ),
        Err(error) => Check::not_checked(id, format!("It could not be checked ({error}).")),
    }
}

/// Checks the filter by sending it to Graph in its own syntax (S3-30).
async fn filtered(graph: &GraphReader, filter: &str, reads: bool) -> Check {
    let id = CheckId::EntraFilter;
    if !reads {
        return Check::not_checked(id, "This requires User.Read.All.");
    }
    match graph.try_filter(filter).await {
        Ok(0) => Check::warning(
            id,
            "Microsoft Graph accepts the filter, but no user matches it.",
        )
        .at(FILTER),
        Ok(count) => Check::passed(
            id,
            format!("Microsoft Graph accepts the filter; {count} users match it."),
        ),
        Err(GraphError::Api(error)) if error.status() == Some(400) => {
            let message = error.message();
            Check::failed(id, format!("Microsoft Graph refuses the filter: {message}")).at(FILTER)
        }
        Err(error) => Check::not_checked(id, format!("It could not be checked ({error}).")),
    }
}

/// Checks the chosen groups. Unknown groups are listed; the others can nevertheless be used
/// (S3-37).
async fn chosen_groups(
    graph: &GraphReader,
    chosen: &std::collections::BTreeSet<rollcall_domain::base::ids::ObjectId>,
    reads: bool,
) -> Check {
    let id = CheckId::EntraGroups;
    if !reads {
        return Check::not_checked(id, "This requires Group.Read.All.");
    }
    let known = match graph.group_names(chosen.iter().copied()).await {
        Ok(known) => known,
        Err(error) => {
            return Check::not_checked(id, format!("It could not be checked ({error})."));
        }
    };
    let unknown: Vec<String> = chosen
        .iter()
        .filter(|group| !known.contains_key(*group))
        .map(ToString::to_string)
        .collect();
    let names: Vec<&str> = known.values().map(String::as_str).collect();
    match (unknown.is_empty(), known.is_empty()) {
        (true, _) => Check::passed(id, format!("All groups exist: {}.", names.join(", "))),
        (false, true) => Check::failed(
            id,
            format!("None of the groups exists: {}.", unknown.join(", ")),
        )
        .at(GROUPS),
        (false, false) => Check::warning(
            id,
            format!(
                "These groups do not exist: {}. The others are used: {}.",
                unknown.join(", "),
                names.join(", ")
            ),
        )
        .at(GROUPS),
    }
}

async fn platform(scim: &Scim) -> Vec<Check> {
    let address = CheckId::ScimAddress;
    let service = match scim.describe().await {
        Ok(service) => service,
        Err(error) if error.is_auth() => {
            return vec![refused(&error)];
        }
        Err(error) if error.is_transient() => {
            let text = format!("It did not respond ({error}). Try again in a few minutes.");
            return vec![Check::not_checked(address, text)];
        }
        Err(error) => {
            let text = format!("There is no SCIM 2.0 service at this address ({error}).");
            return vec![Check::failed(address, text).at(TARGET)];
        }
    };
    let kept = service.features;
    let lacks = [
        (kept.job_title, "job titles"),
        (kept.department, "departments"),
        (kept.manager, "managers"),
        (kept.supervisors, "supervisors of teams"),
    ];
    let lacks: Vec<&str> = lacks
        .iter()
        .filter(|(kept, _)| !kept)
        .map(|(_, name)| *name)
        .collect();
    let found = if lacks.is_empty() {
        Check::passed(
            address,
            "The service describes itself and supports everything that is synced.",
        )
    } else {
        let lacks = lacks.join(", ");
        let text = format!(
            "The service describes itself. It does not support {lacks}, so these are not synced."
        );
        Check::warning(address, text)
    };
    let read = match scim.counts().await {
        Ok((users, groups)) => Check::passed(
            CheckId::ScimRead,
            format!("The platform shows {users} users and {groups} groups."),
        ),
        Err(error) if error.is_auth() => refused(&error),
        Err(error) => Check::not_checked(
            CheckId::ScimRead,
            format!("It could not be read ({error})."),
        ),
    };
    vec![found, read]
}

fn refused(error: &ApiError) -> Check {
    let text = format!("The learning platform rejects the token ({error}). Enter a valid one.");
    Check::failed(CheckId::ScimRead, text).at(TOKEN)
}
