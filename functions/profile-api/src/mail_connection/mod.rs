//! A catalog's Microsoft 365 account: what it is, how it is connected, saved and ended (S1).

pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod messages;
pub(crate) mod model;
pub(crate) mod save;
pub(crate) mod show;

use rollcall_app::mail_account::AccountError;

use crate::error::ApiError;

/// The catalog has no account that works (S1-01).
pub(crate) fn not_connected() -> ApiError {
    AccountError::NotConnected.into()
}
