//! Course sessions of a catalog: rooms, appointments, Teams meetings (S1-15…S1-17, S1-29).

mod calendar;
pub(crate) mod input;
pub(crate) mod list;
mod notify;
pub(crate) mod rooms;
pub(crate) mod save;

use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::MailConnection;
use rollcall_runtime::auth::Caller;

use crate::ApiState;
use crate::error::ApiError;

impl ApiState {
    /// Lets those pass who may work on the catalog: its own admins, and those
    /// who may work on all. Its connection, which may be a blank one.
    ///
    /// # Errors
    /// 404 for a catalog that is not there, 403 for somebody else's.
    pub(crate) async fn must_work_on(
        &self,
        caller: &Caller,
        catalog: CatalogId,
    ) -> Result<MailConnection, ApiError> {
        let connection = self.mail_of(caller.tenant, catalog).await?.value;
        match self.own_catalogs(caller).await? {
            Some(own) if !own.contains(&catalog) => {
                let detail = "You administer other catalogs than this one.";
                Err(ApiError::forbidden("not-your-catalog", detail))
            }
            _ => Ok(connection),
        }
    }
}

/// A licence that the account lacks (S1-10).
fn no_licence(detail: String) -> ApiError {
    ApiError::conflict("licence-missing", detail)
}
