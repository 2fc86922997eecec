//! Connections to Microsoft and the learning platform: one model for all kinds.
//!
//! A [`Kind`] says how it is authorised and what may be done with it, [`Status`]
//! and [`step`] how it lives, [`Cause`] what a refusal of Microsoft Entra means
//! for it, and the records [`EntraConnection`] and [`MailConnection`] what is kept.

mod aadsts_codes;
mod check;
pub mod credentials;
pub mod entitlement;
mod entra;
pub mod installation;
mod kind;
mod mail;
mod messages;
mod refusal;
mod sign_in_attempt;
mod state;

pub use check::{
    CLIENT_ID, CLIENT_SECRET, Check, CheckId, CheckStatus, ConnectionTest, ENTRA_APP, LMS_KEY,
    LMS_URL, Subject,
};
pub use entra::{EntraConnection, Origin};
pub use kind::{Auth, Capability, ConsentScope, Ending, Kind};
pub use mail::{Able, Account, DELEGATED_SCOPES, MailConnection, MailOptions, Unable};
pub use refusal::{Cause, Fault, Remedy, Told};
pub use sign_in_attempt::{Attempt, MAX_RETURN_PATH, NoReturnPath, ReturnPath, Stage};
pub use state::{Effect, Event, Status, Step, step};
