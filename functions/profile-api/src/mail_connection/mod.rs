//! A catalog's Microsoft 365 account: its status, connecting, saving and disconnecting it (S1).

pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod messages;
pub(crate) mod model;
pub(crate) mod save;
pub(crate) mod show;

use rollcall_app::mail_account::AccountError;

use crate::error::ApiError;

/// Returns the error for a catalog without a working account (S1-01).
pub(crate) fn not_connected() -> ApiError {
    AccountError::NotConnected.into()
}
