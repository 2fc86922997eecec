//! Connections to Microsoft and the learning platform: one model for all kinds.
//!
//! A [`ConnectionKind`] says how it is authorised and what may be done with it, [`ConnectionStatus`]
//! and [`step`] how it lives, [`Cause`] what a refusal of Microsoft Entra means
//! for it, and the records [`EntraConnection`] and [`MailConnection`] what is kept.

mod aadsts_codes;
mod cause;
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

pub use cause::Cause;
pub use check::{
    CLIENT_ID, CLIENT_SECRET, Check, CheckId, CheckStatus, CheckSubject, ConnectionTest, ENTRA_APP,
    LMS_KEY, LMS_URL,
};
pub use entra::{EntraConnection, Origin};
pub use kind::{Auth, Capability, ConnectionKind, ConsentScope, Ending};
pub use mail::{
    Account, AccountCapabilities, DELEGATED_SCOPES, MailConnection, MailOptions, Unable,
};
pub use refusal::{Fault, Remedy, ReportTo};
pub use sign_in_attempt::{MAX_RETURN_PATH, NoReturnPath, ReturnPath, SignInAttempt, SignInStage};
pub use state::{ConnectionStatus, Effect, Event, Transition, step};
