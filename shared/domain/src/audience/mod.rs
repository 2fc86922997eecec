//! Profiles and settings as administrators write them, and the audiences they define.

pub(crate) mod audience_change;
pub mod desired_members;
pub mod discrepancies;
pub mod engine;
pub mod evaluation_order;
pub mod explain;
pub mod fingerprint;
pub mod lifecycle;
pub mod lint;
pub mod override_closure;
pub mod profile;
pub mod settings;
