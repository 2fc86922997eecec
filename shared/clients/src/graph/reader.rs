//! The read-only client of a tenant's directory: looks up objects and tests access.

use rollcall_domain::base::ids::TenantId;
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::transport::{TokenSource, Transport};
use super::{GraphError, GraphStats, Quota};
use crate::http::{ApiError, Http};

/// Reads one tenant's directory; it has no method that changes anything. Clones share the
/// token, the write quota and the counters.
#[derive(Debug, Clone)]
pub struct GraphReader {
    pub(super) transport: Transport,
}

/// The directory's own entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationFacts {
    /// The tenant's id, which must equal the expected one.
    pub id: TenantId,
    /// The display name of the organization.
    pub display_name: String,
}

impl GraphReader {
    /// Creates a client of a cloud's Graph host, such as `https://graph.microsoft.com`
    /// (without `/v1.0`), which is also the resource that tokens are requested for.
    pub fn new(http: Http, base_url: &str, tokens: TokenSource) -> Result<Self, ApiError> {
        let transport = Transport::new(http, base_url, tokens)?;
        Ok(Self { transport })
    }

    /// Returns the client with a deadline; it starts no wait that would end after it.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.transport.deadline = Some(deadline);
        self
    }

    /// Returns the client with another write quota. Tests of a permission count as writes,
    /// although they change nothing.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.transport.quota = quota;
        self
    }

    /// Returns the counters of this client and of all that share them.
    pub fn stats(&self) -> GraphStats {
        self.transport.meter.read()
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
        struct FirstResult {
            value: [Organization; 1],
        }
        let answer = self
            .transport
            .get("/v1.0/organization?$select=id,displayName")
            .await?;
        let FirstResult { value: [found] } = answer.json("the list with the one organisation")?;
        let display_name = found.display_name.unwrap_or_default();
        Ok(OrganizationFacts {
            id: TenantId::new(found.id),
            display_name,
        })
    }
}
