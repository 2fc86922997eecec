//! Authentication: verified Entra access tokens, roles, and common parts of every HTTP response.

pub mod claims;
pub mod error;
pub mod extract;
pub mod identity;
pub mod middleware;
pub mod role;
mod signature;
pub mod verifier;

pub use error::AuthError;
pub use extract::Caller;
pub use identity::{Identities, Identity};
pub use middleware::with_common_responses;
pub use role::Role;
pub use verifier::{SetupError, Verifier};
