//! Finding what changed since an earlier run against evaluating everybody again.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::desired::{Audience, Change, Ready};
use rollcall_domain::engine::{PersonIndex, Program, Rolls, Shift, Since};
use rollcall_domain::lms::{LmsData, Progress};
use rollcall_domain::rowset::RowSet;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::snapshot::build::{EntraSet, Sets};

use crate::cpu::{millis, timed};
use crate::workload::{Sizes, Workload};

/// One person in so many changed.
const CHANGED: usize = 200;
/// How much faster the few must be.
const FASTER: f64 = 12.0;

/// Measures and prints; the answers are compared first.
///
/// # Errors
/// If the two ways find different changes.
pub fn run(sizes: Sizes, rounds: u32) -> io::Result<()> {
    let mut workload = Workload::new(sizes);
    let before = workload.snapshot();
    change(&mut workload.data);
    let sets = Sets::of(workload.data.clone()).map_err(io::Error::other)?;
    let built = sets.into_snapshot(before.header.clone(), EntraSet::default(), Some(&before));
    let (after, then) = (built.snapshot, workload.at);
    let fields = Fields::of(&after);
    let audiences: Vec<_> = workload
        .profiles
        .iter()
        .map(|profile| Audience::of(profile, &fields).map_err(|error| (profile.id, error)))
        .collect();
    let program = Ready::of(&audiences).program;
    let members = members(&after, program.evaluate(&before, then, &[]));
    let since = Since {
        step: before.people.lineage.step,
        at: then,
    };
    let race = Race {
        program: &program,
        after: &after,
        now: then + TimeDelta::hours(3),
        members: members.iter().map(Some).collect(),
        since,
    };
    race.run(rounds.max(1))
}

/// Both ways over the same snapshot, from the same earlier members.
struct Race<'a> {
    program: &'a Program<'a>,
    after: &'a Snapshot,
    now: DateTime<Utc>,
    members: Vec<Option<&'a RowSet>>,
    since: Since,
}

impl Race<'_> {
    fn run(&self, rounds: u32) -> io::Result<()> {
        let index = PersonIndex::of(self.after);
        let rolls = Rolls::of(&self.members);
        let found = self.program.shifts(&index, self.now, self.since, &rolls);
        if !same(&self.everybody(), &found) {
            return Err(io::Error::other("the changes found are not the same"));
        }
        let mut rolls = rolls;
        let (mut slow, mut fast) = (Duration::MAX, Duration::MAX);
        for _ in 0..rounds {
            slow = slow.min(timed(|| self.everybody()).0);
            let (time, shifts) = timed(|| self.few(&index, &mut rolls));
            fast = fast.min(time);
            rolls.apply(&back(shifts));
        }
        let least = |run: &dyn Fn()| (0..rounds).map(|_| timed(run).0).min();
        let made = least(&|| drop(black_box(PersonIndex::of(self.after))));
        let turned = least(&|| drop(black_box(Rolls::of(&self.members))));
        let once = [made, turned].map(Option::unwrap_or_default);
        let rows = self.program.affected(&index, self.now, self.since).len();
        self.print(rows, [slow, fast], once);
        Ok(())
    }

    /// The few, and the earlier members brought up to date for the next time.
    fn few(&self, index: &PersonIndex<'_>, rolls: &mut Rolls) -> Vec<Shift> {
        let shifts = self.program.shifts(index, self.now, self.since, rolls);
        rolls.apply(&shifts);
        shifts
    }

    fn everybody(&self) -> Vec<Change> {
        self.program.evaluate(self.after, self.now, &self.members)
    }

    fn print(&self, rows: usize, [slow, fast]: [Duration; 2], [index, rolls]: [Duration; 2]) {
        let ratio = slow.as_secs_f64() / fast.as_secs_f64();
        let word = if ratio >= FASTER { "ok" } else { "not" };
        println!(
            "{rows} of {} people looked at again (data changed, or three hours moved them)",
            self.after.people.count()
        );
        for (what, time) in [
            ("everybody", slow),
            ("what changed since", fast),
            ("index, once for a snapshot", index),
            ("members by person, once", rolls),
        ] {
            println!("{what:<28}{:>12.3} ms of CPU", millis(time));
        }
        println!("{ratio:.1} times faster, {FASTER} wanted: {word}");
        let saved = slow.saturating_sub(fast).as_secs_f64();
        let asks = ((index + rolls).as_secs_f64() / saved).ceil();
        println!("index and members by person are worth it from {asks} times on");
    }
}

/// What undoes these.
fn back(shifts: Vec<Shift>) -> Vec<Shift> {
    let shifts = shifts.into_iter();
    shifts
        .map(|shift| Shift {
            joins: shift.leaves,
            leaves: shift.joins,
        })
        .collect()
}

/// Some move, some change their job, some complete what they had begun.
fn change(data: &mut LmsData) {
    let titles: Vec<Option<String>> = data
        .users
        .iter()
        .map(|user| user.job_title.clone())
        .collect();
    for (at, user) in data.users.iter_mut().enumerate().step_by(CHANGED) {
        user.job_title.clone_from(&titles[(at + 7) % titles.len()]);
        user.city = Some("Oslo".to_owned());
    }
    let moved: Vec<_> = data
        .users
        .iter()
        .step_by(CHANGED)
        .map(|user| user.id)
        .collect();
    let mut moved: Vec<_> = moved.into_iter().flatten().collect();
    moved.sort();
    let open = data.enrolments.iter_mut();
    for row in open.filter(|row| row.progress == Progress::InProgress) {
        if moved.binary_search(&row.user).is_ok() {
            row.progress = Progress::Completed;
            row.completed_at = Some(Workload::slot());
        }
    }
}

fn members(snapshot: &Snapshot, changes: Vec<Change>) -> Vec<RowSet> {
    let sets = changes.into_iter().map(|change| {
        let mut rows = RowSet::new(snapshot.people.rows());
        rows.extend(change.joins);
        rows
    });
    sets.collect()
}

fn same(everybody: &[Change], affected: &[Shift]) -> bool {
    let pairs = everybody.iter().zip(affected);
    everybody.len() == affected.len()
        && pairs
            .into_iter()
            .all(|(all, few)| all.joins == few.joins && all.leaves == few.leaves)
}
