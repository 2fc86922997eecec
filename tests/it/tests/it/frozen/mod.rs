//! Everything that is stored or queued, frozen as it lies there: whatever changes a format shows up as a changed snapshot.

mod objects;
mod queue;
mod samples;
mod steady;
mod table;
mod values;
mod vault;
