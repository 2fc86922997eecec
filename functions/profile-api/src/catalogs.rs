//! Catalogs: who may work on which, and their titles.

use std::collections::BTreeSet;

use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;
use rollcall_runtime::auth::{Caller, Role};

use crate::access::Permission;
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::mail_connection;
use crate::state::ApiState;

/// Returns the catalogs that a caller is limited to; `None` for callers who may choose
/// courses of all catalogs.
pub(crate) async fn own_catalogs(
    api: &ApiState,
    caller: &Caller,
) -> Result<Option<BTreeSet<CatalogId>>, ApiError> {
    if caller.require(Permission::WriteProfiles.roles()).is_ok() {
        return Ok(None);
    }
    let tenant = api.services.store.tenant(caller.tenant).await;
    let own = tenant?.and_then(|mut tenant| tenant.settings.catalog_admins.remove(&caller.object));
    Ok(Some(own.unwrap_or_default()))
}

/// Checks that the caller is an admin of this catalog (S1-03, S1-36): other roles may
/// read the status of the connection but not change it.
pub(crate) async fn must_administer(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
) -> Result<(), ApiError> {
    if administers(api, caller, catalog).await? {
        return Ok(());
    }
    let detail =
        "Only an admin of this catalog may do this. The settings list the admins of each catalog.";
    Err(ApiError::forbidden("not-your-catalog", detail))
}

/// Returns true if the caller is an admin of the catalog.
pub(crate) async fn administers(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
) -> Result<bool, ApiError> {
    if !caller.roles.contains(&Role::CatalogAdmin) {
        return Ok(false);
    }
    let tenant = api.services.store.tenant(caller.tenant).await?;
    let own = tenant.and_then(|mut it| it.settings.catalog_admins.remove(&caller.object));
    Ok(own.is_some_and(|own| own.contains(&catalog)))
}

/// Returns the title of a catalog; `None` if the current snapshot does not contain it.
pub(crate) async fn title(
    api: &ApiState,
    tenant: TenantId,
    catalog: CatalogId,
) -> Result<Option<String>, ApiError> {
    let data = snapshots::current(api, tenant).await?;
    let mut catalogs = data.snapshot.catalogs.iter();
    let found = catalogs.find(|known| known.id == catalog);
    Ok(found.map(|known| known.title.clone()))
}

/// Checks that the caller may work on the catalog, as one of its admins or with a role for
/// all catalogs. Returns its connection, which may not be configured yet.
///
/// # Errors
/// 404 for a catalog that does not exist, 403 for one of other admins.
pub(crate) async fn must_work_on(
    api: &ApiState,
    caller: &Caller,
    catalog: CatalogId,
) -> Result<MailConnection, ApiError> {
    let connection = mail_connection::model::find(api, caller.tenant, catalog)
        .await?
        .value;
    match own_catalogs(api, caller).await? {
        Some(own) if !own.contains(&catalog) => {
            let detail = "You do not administer this catalog.";
            Err(ApiError::forbidden("not-your-catalog", detail))
        }
        _ => Ok(connection),
    }
}
