//! The reading side of a tenant's directory: looks things up, tests access and changes nothing.

use rollcall_domain::base::ids::TenantId;
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::transport::{TokenSource, Transport};
use super::{GraphError, GraphStats, Quota};
use crate::http::{ApiError, Http};

/// Reads one tenant's directory; it has no method that changes anything.
/// Clones share the token, the write quota and the counters.
#[derive(Debug, Clone)]
pub struct GraphReader {
    pub(super) transport: Transport,
}

/// What the directory says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationFacts {
    /// The tenant's id; must equal the one we think we talk to.
    pub id: TenantId,
    /// The name administrators gave it.
    pub display_name: String,
}

impl GraphReader {
    /// A client of a cloud's Graph host, such as `https://graph.microsoft.com`
    /// (without `/v1.0`), which is also the resource that tokens are asked for.
    pub fn new(http: Http, base_url: &str, tokens: TokenSource) -> Result<Self, ApiError> {
        let transport = Transport::new(http, base_url, tokens)?;
        Ok(Self { transport })
    }

    /// The same client, which waits for nothing that would end after `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.transport.deadline = Some(deadline);
        self
    }

    /// The same client on another write quota. Tests of a permission count as
    /// writes, although they change nothing.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.transport.quota = quota;
        self
    }

    /// What was sent so far, by this client and by all that share its counters.
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
        struct Answered {
            value: [Organization; 1],
        }
        let answer = self
            .transport
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
