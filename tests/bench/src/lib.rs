//! Measures the rule engine against named peers on the same workload in one run.
//!
//! Every peer evaluates all profiles independently; before a time is printed, all members are
//! compared by checksum.

pub mod bandwidth;
pub mod checksum;
pub mod cpu;
pub mod excel;
pub mod export;
pub mod ours;
pub mod overrides;
pub mod peers;
pub mod person;
pub mod phase;
pub mod ratios;
pub mod stored;
pub mod tree;
pub mod workload;
