//! Everything that is stored or queued, frozen as it lies there: whatever changes a format shows up as a changed snapshot.

mod left;
mod objects;
mod queue;
mod samples;
mod snapshots_of_data;
mod steady;
mod table;
mod values;
mod vault;
