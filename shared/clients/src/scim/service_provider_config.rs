//! Reads the capabilities of a service: patch, bulk, filters and supported attributes.

use rollcall_domain::directory_sync::Features;
use serde::Deserialize;

use super::{ENTERPRISE, Scim, ServiceCapabilities, TEAM, USER};
use crate::http::ApiError;

/// Default page size, unless the service's maximum is lower: a page of a thousand resources takes
/// some services more than a second.
const PAGE: u32 = 500;
/// Maximum operations of a bulk request, unless the service's maximum is lower: one request should
/// complete well within its timeout.
const BULK: u64 = 100;
/// Maximum size of a bulk request in bytes, unless the service's maximum is lower.
const BULK_BYTES: u64 = 512 * 1024;

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    patch: Supported,
    #[serde(default)]
    bulk: Bulk,
    #[serde(default)]
    filter: Filter,
}

#[derive(Deserialize, Default)]
struct Supported {
    #[serde(default)]
    supported: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Bulk {
    supported: bool,
    max_operations: u64,
    max_payload_size: u64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    supported: bool,
    max_results: u32,
}

#[derive(Deserialize)]
struct Schemas {
    #[serde(rename = "Resources", default)]
    resources: Vec<Schema>,
}

#[derive(Deserialize)]
struct Schema {
    id: String,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    name: String,
}

impl Schemas {
    fn has_attribute(&self, schema: &str, attribute: &str) -> bool {
        let mut schemas = self.resources.iter();
        let found = schemas.find(|it| it.id.eq_ignore_ascii_case(schema));
        found.is_some_and(|schema| {
            let mut attributes = schema.attributes.iter();
            attributes.any(|it| it.name.eq_ignore_ascii_case(attribute))
        })
    }

    fn features(&self) -> Features {
        Features {
            job_title: self.has_attribute(USER, "title"),
            department: self.has_attribute(ENTERPRISE, "department"),
            manager: self.has_attribute(ENTERPRISE, "manager"),
            supervisors: self.has_attribute(TEAM, "supervisors"),
        }
    }
}

impl Scim {
    /// Returns the capabilities of the service. A service without schemas is assumed to support the
    /// core attributes (RFC 7644, section 4, requires schemas).
    pub async fn describe(&self) -> Result<ServiceCapabilities, ApiError> {
        let (config, schemas) =
            tokio::join!(self.get("/ServiceProviderConfig"), self.get("/Schemas"));
        let config: Config = config?.json("the service's configuration")?;
        let features = match schemas {
            Ok(answer) => answer.json::<Schemas>("the service's schemas")?.features(),
            Err(error) if matches!(error.status(), Some(404 | 501)) => Features {
                job_title: true,
                department: false,
                manager: false,
                supervisors: false,
            },
            Err(error) => return Err(error),
        };
        let page = match config.filter.max_results {
            0 => PAGE,
            most => most.min(PAGE),
        };
        let at_most = |most: u64, ours: u64| {
            usize::try_from(if most == 0 { ours } else { most.min(ours) }).unwrap_or(1)
        };
        let bulk = &config.bulk;
        let bulk = bulk.supported.then(|| {
            (
                at_most(bulk.max_operations, BULK),
                at_most(bulk.max_payload_size, BULK_BYTES),
            )
        });
        Ok(ServiceCapabilities {
            features,
            patch: config.patch.supported,
            filter: config.filter.supported,
            page,
            bulk,
        })
    }
}
