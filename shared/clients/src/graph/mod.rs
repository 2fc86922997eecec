//! Microsoft Graph v1.0: groups, their members, the organisation.
//!
//! Published at <https://learn.microsoft.com/graph/api/overview>; the quotas at
//! <https://learn.microsoft.com/graph/throttling-limits>.

mod apply;
mod batch;
mod check;
mod check_directory_sync;
mod classify;
mod delta;
mod directory;
mod directory_queries;
mod error;
mod group_facts;
mod groups;
mod members;
mod outcome;
mod permissions;
mod quota;
mod stats;
mod transport;
mod users;

use std::sync::Arc;

use rollcall_domain::base::ids::TenantId;
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::entra::Entra;
use crate::http::{ApiError, Base, Http, Secret};
pub use check::KnownPeople;
pub use check_directory_sync::SyncApp;
pub use delta::{DeltaLink, Followed, MAX_GROUPS as MAX_DELTA_GROUPS};
pub use directory::{DirectoryGroup, DirectoryPerson};
pub use directory_queries::Picture;
pub use error::GraphError;
pub use group_facts::{GroupFacts, GroupLookup};
pub use groups::{DeletedGroup, EnsuredGroup, GroupSpec};
pub use members::Members;
pub use outcome::{AlwaysGo, MemberOutcomes, WriteGate};
pub use quota::Quota;
pub use stats::GraphStats;
use stats::Meter;

/// Where tokens for one tenant come from: the app's own credential.
#[derive(Debug, Clone)]
pub struct TokenSource {
    entra: Entra,
    tenant: TenantId,
    client_id: String,
    secret: Secret,
}

impl TokenSource {
    /// The app `client_id` acting in `tenant` without a user.
    pub fn new(entra: Entra, tenant: TenantId, client_id: &str, secret: Secret) -> Self {
        Self {
            entra,
            tenant,
            client_id: client_id.to_owned(),
            secret,
        }
    }
}

/// One tenant's directory. Clones share the token, the write quota and the counters.
#[derive(Debug, Clone)]
pub struct Graph {
    http: Http,
    base: Base,
    tokens: TokenSource,
    scope: String,
    quota: Quota,
    meter: Arc<Meter>,
    deadline: Option<Instant>,
}

/// What the directory says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationFacts {
    /// The tenant's id; must equal the one we think we talk to.
    pub id: TenantId,
    /// The name administrators gave it.
    pub display_name: String,
}

impl Graph {
    /// A client of a cloud's Graph host, such as `https://graph.microsoft.com`
    /// (without `/v1.0`), which is also the resource that tokens are asked for.
    pub fn new(http: Http, base_url: &str, tokens: TokenSource) -> Result<Self, ApiError> {
        let base = Base::parse(base_url)?;
        let scope = base.join("/.default");
        let (quota, meter) = (Quota::default(), Arc::default());
        Ok(Self {
            http,
            base,
            tokens,
            scope,
            quota,
            meter,
            deadline: None,
        })
    }

    /// The same client, which waits for nothing that would end after `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same client on another write quota: one that several clients of the
    /// same app and tenant share, or a small one in a test.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }

    /// What was sent so far.
    pub fn stats(&self) -> GraphStats {
        self.meter.read()
    }

    /// Reads the tenant's own entry; also the cheapest proof that the credential works.
    pub async fn organization(&self) -> Result<OrganizationFacts, GraphError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Organization {
            id: Uuid,
            display_name: Option<String>,
        }
        #[derive(Deserialize)]
        struct Answered {
            value: [Organization; 1],
        }
        let answer = self
            .get("/v1.0/organization?$select=id,displayName")
            .await?;
        let Answered { value: [found] } = answer.json("the list with the one organisation")?;
        let display_name = found.display_name.unwrap_or_default();
        Ok(OrganizationFacts {
            id: TenantId::new(found.id),
            display_name,
        })
    }
}

#[cfg(test)]
mod tests;
