//! Course sessions of a catalog: rooms, appointments, Teams meetings (S1-15…S1-17, S1-29).

mod calendar;
pub(crate) mod input;
pub(crate) mod list;
pub(crate) mod model;
mod notify;
pub(crate) mod rooms;
pub(crate) mod save;

use crate::error::ApiError;

/// Returns the error for a licence that the account lacks (S1-10).
fn no_licence(detail: String) -> ApiError {
    ApiError::conflict("licence-missing", detail)
}
