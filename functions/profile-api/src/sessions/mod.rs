//! Course sessions of a catalog: rooms, appointments, Teams meetings (S1-15…S1-17, S1-29).

mod calendar;
pub(crate) mod input;
pub(crate) mod list;
mod notify;
pub(crate) mod rooms;
pub(crate) mod save;

use axum::http::StatusCode;
use rollcall_app::mail_account::AccountError;
use rollcall_clients::http::ApiError;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::MailConnection;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;

use crate::ApiState;
use crate::error::{Refused, unavailable};
use crate::mail_connection::account;

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
    ) -> Result<MailConnection, Refused> {
        let connection = self.mail_of(caller.tenant, catalog).await?.value;
        match self.own_catalogs(caller).await? {
            Some(own) if !own.contains(&catalog) => {
                let detail = "You administer other catalogs than this one.";
                Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail).of_kind("not-your-catalog"))
            }
            _ => Ok(connection),
        }
    }
}

/// A licence that the account lacks (S1-10).
fn no_licence(detail: String) -> ProblemDetails {
    ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("licence-missing")
}

/// An account's or its calendar's trouble as an answer.
fn refused(error: &AccountError) -> ProblemDetails {
    match error {
        AccountError::Client(error) => calendar(error),
        error => account(error),
    }
}

/// The calendar's refusal as an answer.
fn calendar(error: &ApiError) -> ProblemDetails {
    tracing::warn!(%error, "the calendar of a connected account cannot be used");
    if error.is_transient() {
        return unavailable("Microsoft 365 does not answer; try again shortly.");
    }
    let detail = "Microsoft 365 refused the request; the connection of the catalog may have to be made again.";
    ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("calendar-refused")
}
