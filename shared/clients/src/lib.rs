//! Talks: one module per third party, wire types stay inside.

pub mod acs;
mod aside;
pub mod aws;
pub mod entra;
pub mod graph;
pub mod http;
pub mod learn365;
mod lenient;
pub mod mailbox;
pub mod objects;
pub mod outgoing;
pub mod queue;
pub mod scim;
pub mod ses;
pub mod store;
pub mod vault;
