//! Counts the engine's instructions with callgrind, which needs no quiet machine.

#![expect(
    missing_docs,
    unused_qualifications,
    reason = "the macros generate undocumented items with qualified names"
)]

use std::hint::black_box;
use std::io;

use gungraun::{library_benchmark, library_benchmark_group, main};
use rollcall_bench::ours::{Answer, Ours, load, store};
use rollcall_bench::workload::{Sizes, Workload};
use rollcall_domain::snapshot::Snapshot;

fn workload(users: u32, profiles: u32) -> Workload {
    Workload::new(Sizes {
        users,
        profiles,
        enrolments: users * 20,
    })
}

fn ours(users: u32, profiles: u32) -> Ours {
    Ours::of(&workload(users, profiles))
}

fn stored(users: u32) -> io::Result<Vec<u8>> {
    store(&workload(users, 1).snapshot())
}

#[library_benchmark]
#[bench::few_people(ours(1_000, 50))]
#[bench::more_people(ours(4_000, 50))]
#[bench::more_profiles(ours(1_000, 200))]
fn evaluate(ours: Ours) -> Answer {
    black_box(ours.evaluate())
}

#[library_benchmark]
#[bench::few_people(stored(1_000))]
#[bench::more_people(stored(4_000))]
fn decode(bytes: io::Result<Vec<u8>>) -> io::Result<Snapshot> {
    black_box(load(&bytes?))
}

library_benchmark_group!(name = engine, benchmarks = [evaluate, decode]);

main!(library_benchmark_groups = engine);
