//! Snapshots of all stored and queued data. A changed format results in a changed snapshot.

mod left;
mod objects;
mod queue;
mod samples;
mod snapshots_of_data;
mod steady;
mod table;
mod values;
mod vault;
