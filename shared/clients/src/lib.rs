//! Talks: one module per third party, wire types stay inside.

pub mod aws;
pub mod entra;
pub mod graph;
pub mod http;
pub mod learn365;
pub mod objects;
pub mod queue;
pub mod ses;
pub mod store;
pub mod vault;
