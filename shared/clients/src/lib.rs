//! Clients of third parties and of the store: one module for each, with private wire types.

pub mod acs;
pub mod aws;
mod blocking;
pub mod entra;
pub mod graph;
pub mod http;
pub mod learn365;
mod lenient;
pub mod mail;
pub mod mailbox;
pub mod objects;
pub mod queue;
pub mod scim;
pub mod ses;
pub mod store;
pub mod vault;
