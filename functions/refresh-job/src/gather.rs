//! From the platform and the directory to a snapshot in memory.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rollcall_clients::store::tenants::Tenant;
use rollcall_domain::ids::SnapshotId;
use rollcall_domain::lms::FieldKind;
use rollcall_domain::snapshot::build::{EntraProperties, build};
use rollcall_domain::snapshot::{Header, Snapshot};
use rollcall_runtime::{Deadline, Services};
use uuid::Uuid;

/// Reads all six sets (S4-098) and the Entra properties that rules may use.
/// Complete or an error: a missing page is never a missing person.
pub(crate) async fn gather(
    services: &Services,
    tenant: &Tenant,
    at: DateTime<Utc>,
    deadline: Deadline,
) -> Result<Snapshot, String> {
    let platform = services
        .learn365(tenant)
        .await
        .map_err(|error| error.to_string())?;
    let platform = platform.with_deadline(deadline.instant().into());
    let data = platform
        .read_all()
        .await
        .map_err(|error| format!("Learn365: {error}"))?;
    let entra = entra_properties(services, tenant).await?;
    let id = SnapshotId::new(at, Uuid::new_v4());
    Ok(build(
        Header {
            id,
            tenant: tenant.id,
            taken_at: at,
        },
        data,
        &entra,
    ))
}

async fn entra_properties(services: &Services, tenant: &Tenant) -> Result<EntraProperties, String> {
    let names = &tenant.settings.entra_properties;
    if names.is_empty() {
        return Ok(EntraProperties::default());
    }
    let graph = services
        .graph(tenant)
        .await
        .map_err(|error| error.to_string())?;
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let users = graph
        .user_properties(&wanted)
        .await
        .map_err(|error| format!("Microsoft Graph: {error}"))?;
    let values: HashMap<_, BTreeMap<_, _>> = users.into_iter().collect();
    Ok(EntraProperties {
        kinds: names
            .iter()
            .map(|name| (name.clone(), kind(name)))
            .collect(),
        values,
    })
}

/// Graph names its moments alike.
fn kind(property: &str) -> FieldKind {
    if property.ends_with("DateTime") || property.ends_with("Date") {
        FieldKind::Date
    } else if property.ends_with("Enabled") {
        FieldKind::Boolean
    } else {
        FieldKind::Text
    }
}
