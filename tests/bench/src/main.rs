//! The command line of the benchmarks; see README.md.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rollcall_bench::ours::{Ours, load};
use rollcall_bench::workload::{Sizes, Workload};
use rollcall_bench::{bandwidth, cpu, export, phase, ratios, stored};
use serde_json::json;

/// Measures the rule engine as ratios to named peers in the same run.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sizes: Sizes,
    #[command(flatten)]
    options: ratios::Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compares our engine with the Rust peers (default command).
    Ratios {
        #[command(flatten)]
        sizes: Sizes,
        #[command(flatten)]
        options: ratios::Options,
    },
    /// Writes the workload and our members to files, for peers in other languages.
    Export {
        #[command(flatten)]
        sizes: Sizes,
        /// The folder to write to.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Runs our engine on an exported workload and prints a JSON object.
    Evaluate {
        /// The folder of the export.
        #[arg(long)]
        dir: PathBuf,
        /// Number of runs; the shortest time counts.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// Prints the data used by rules, the memory bandwidth, and the resulting bound.
    Bandwidth {
        #[command(flatten)]
        sizes: Sizes,
    },
    /// Compares the stored snapshot with the same rows as JSON and zstd.
    Snapshot {
        #[command(flatten)]
        sizes: Sizes,
        /// Number of runs; the shortest time counts.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// Writes the input of `phase`.
    Keep {
        #[command(flatten)]
        sizes: Sizes,
        /// The folder to write to.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Measures a maintenance run's computation on the output of `keep`; prints a JSON object.
    Phase {
        /// The folder written by `keep`.
        #[arg(long)]
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => return compare(arguments.sizes, &arguments.options),
        Some(Command::Ratios { sizes, options }) => return compare(sizes, &options),
        Some(Command::Export { sizes, dir }) => export::run(sizes, &dir),
        Some(Command::Evaluate { dir, rounds }) => evaluate(&dir, rounds),
        Some(Command::Bandwidth { sizes }) => {
            bandwidth::run(sizes);
            Ok(())
        }
        Some(Command::Snapshot { sizes, rounds }) => stored::run(sizes, rounds),
        Some(Command::Keep { sizes, dir }) => phase::keep(sizes, &dir),
        Some(Command::Phase { dir }) => phase::run(&dir),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(sizes: Sizes, options: &ratios::Options) -> ExitCode {
    let differences = ratios::run(sizes, options);
    for difference in &differences {
        eprintln!("DIFFERENT {difference}");
    }
    ExitCode::from(u8::from(!differences.is_empty()))
}

fn evaluate(folder: &Path, rounds: u32) -> io::Result<()> {
    let bytes = fs::read(folder.join(export::SNAPSHOT))?;
    let (decoded, snapshot) = cpu::timed(|| load(&bytes));
    let profiles: Vec<rollcall_domain::audience::profile::Profile> =
        serde_json::from_slice(&fs::read(folder.join(export::STORED))?)?;
    let ours = Ours::new(snapshot?, &profiles, Workload::slot());
    let times = (0..rounds.max(1)).map(|_| cpu::timed(|| ours.evaluate()).0);
    let best = times.min().unwrap_or_default();
    let report = json!({
        "cpu_ms": cpu::millis(best),
        "peak_memory_bytes": cpu::peak_memory(),
        "decode_cpu_ms": cpu::millis(decoded),
        "snapshot_bytes": bytes.len(),
    });
    println!("{report}");
    Ok(())
}
