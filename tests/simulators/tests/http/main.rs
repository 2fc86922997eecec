//! Tests of the simulators over real HTTP, as used by the product's clients.

mod acs;
mod admin_consent;
mod calendar;
mod delegated;
mod delta;
mod entra;
mod faults;
mod graph_batch;
mod graph_groups;
mod graph_members;
mod graph_reading;
mod graph_users;
mod identity;
mod learn365;
mod mailbox;
mod process;
mod refresh;
mod scim;
mod scim_changes;
mod sign_in_site;
mod site;
