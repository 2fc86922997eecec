//! Runs our engine and the peers alternately and prints the cost of each.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bandwidth;
use crate::checksum::{Checksum, differences};
use crate::cpu::{millis, timed};
use crate::ours::Ours;
use crate::overrides::{Members, apply};
use crate::peers::{cel, datalogic, strings};
use crate::person::{Person, people};
use crate::tree::{Tree, read};
use crate::workload::{Sizes, Workload};

/// The peers, with the required ratio of their time to ours.
const STRINGS: (&str, f64) = ("strings", 300.0);
const DATALOGIC: (&str, f64) = ("datalogic-rs", 1_000.0);
const CEL: (&str, f64) = ("cel", 1_000.0);

/// Options of the measurement.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Runs of each peer; the shortest time counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// datalogic-rs evaluates one user in this many.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub datalogic_every: u32,
    /// cel evaluates one user in this many.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub cel_every: u32,
}

/// A peer prepared to evaluate every nth user.
struct Contestant<'a> {
    name: &'static str,
    target: f64,
    every: u32,
    people: Vec<&'a Person>,
    run: Box<dyn Fn() -> Members + 'a>,
    best: Duration,
}

/// Measures and prints; returns the differences in members, and prints no time if there are any.
pub fn run(sizes: Sizes, options: &Options) -> Vec<String> {
    let workload = Workload::new(sizes);
    let trees = read(&workload);
    let people = people(&workload);
    println!("{}", describe(&workload, &trees, people.len()));
    let ours = Ours::of(&workload);
    let mut contestants = contestants(&workload, &trees, &people, options);
    let found = compare(&workload, &ours, &contestants);
    if found.is_empty() {
        println!("Members of all profiles are the same for all (count and SHA-256 of ids).\n");
        let best = race(&ours, &mut contestants, options.rounds);
        report(best, &contestants);
        println!("{}", bandwidth::against(best, &trees, &people, &ours));
    }
    found
}

/// Returns a summary of the generated workload.
pub fn describe(workload: &Workload, trees: &[Option<Tree>], people: usize) -> String {
    let tests = || trees.iter().flatten().flat_map(Tree::tests);
    let distinct: BTreeSet<String> = tests().map(|test| format!("{test:?}")).collect();
    let exceptions = workload
        .profiles
        .iter()
        .filter(|profile| !profile.overrides.is_empty())
        .count();
    format!(
        "{people} people, {} enrolments, {} profiles with {} tests ({} distinct), {exceptions} of them with exceptions",
        workload.data.enrolments.len(),
        workload.profiles.len(),
        tests().count(),
        distinct.len(),
    )
}

fn contestants<'a>(
    workload: &Workload,
    trees: &'a [Option<Tree>],
    people: &'a [Person],
    options: &Options,
) -> Vec<Contestant<'a>> {
    let now = workload.at.timestamp_millis();
    let some = |every: u32| -> Vec<&'a Person> { people.iter().step_by(every as usize).collect() };
    let everyone = some(1);
    let datalogic = datalogic::Peer::new(trees, &some(options.datalogic_every), now);
    let cel = cel::Peer::new(trees, &some(options.cel_every), now);
    let walk = move || strings::members(trees, &everyone, now);
    vec![
        Contestant::new(STRINGS, 1, some(1), walk),
        Contestant::new(
            DATALOGIC,
            options.datalogic_every,
            some(options.datalogic_every),
            move || datalogic.members(),
        ),
        Contestant::new(CEL, options.cel_every, some(options.cel_every), move || {
            cel.members()
        }),
    ]
}

impl<'a> Contestant<'a> {
    fn new(
        (name, target): (&'static str, f64),
        every: u32,
        people: Vec<&'a Person>,
        run: impl Fn() -> Members + 'a,
    ) -> Self {
        Self {
            name,
            target,
            every,
            people,
            run: Box::new(run),
            best: Duration::MAX,
        }
    }
}

/// Returns every difference in members, before any time is measured.
fn compare(workload: &Workload, ours: &Ours, contestants: &[Contestant]) -> Vec<String> {
    let answer = ours.evaluate();
    let mut found = Vec::new();
    for peer in contestants {
        let members = apply(&workload.profiles, &peer.people, (peer.run)());
        let theirs: Vec<Checksum> = members
            .iter()
            .map(|places| Checksum::of(places.iter().map(|place| peer.people[*place as usize].id)))
            .collect();
        let differing = differences(&ours.checksums(&answer, peer.every), &theirs);
        found.extend(
            differing
                .into_iter()
                .map(|difference| format!("{}: {difference}", peer.name)),
        );
    }
    found
}

/// Runs our engine before each peer, so that both run under the same machine load.
fn race(ours: &Ours, contestants: &mut [Contestant], rounds: u32) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        for peer in &mut *contestants {
            best = best.min(timed(|| ours.evaluate()).0);
            peer.best = peer.best.min(timed(&peer.run).0);
        }
    }
    best
}

fn report(ours: Duration, contestants: &[Contestant]) {
    println!("{:<14}{:>12}{:>10}{:>10}", "", "CPU ms", "ratio", "target");
    println!("{:<14}{:>12.2}{:>10}", "ours", millis(ours), "1.0");
    for peer in contestants {
        let time = millis(peer.best) * f64::from(peer.every);
        let ratio = time / millis(ours);
        let verdict = if ratio >= peer.target { "ok" } else { "not" };
        let how = match peer.every {
            1 => String::new(),
            every => format!("  measured on one person in {every}, times {every}"),
        };
        println!(
            "{:<14}{time:>12.2}{ratio:>10.1}{:>10.0}  {verdict}{how}",
            peer.name, peer.target
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_and_every_peer_find_the_same_members() {
        let sizes = Sizes {
            users: 400,
            profiles: 150,
            enrolments: 8_000,
        };
        let workload = Workload::new(sizes);
        let (trees, people) = (read(&workload), people(&workload));
        let options = Options {
            rounds: 1,
            datalogic_every: 1,
            cel_every: 3,
        };
        let contestants = contestants(&workload, &trees, &people, &options);
        let found = compare(&workload, &Ours::of(&workload), &contestants);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn a_difference_in_one_member_is_reported() {
        let of = |ids: &[u8]| Checksum::of(ids.iter().map(|id| [*id; 16]));
        assert_eq!(
            differences(&[of(&[1, 2])], &[of(&[1, 2])]),
            Vec::<String>::new()
        );
        assert_eq!(differences(&[of(&[1, 2])], &[of(&[1, 3])]).len(), 1);
    }
}
