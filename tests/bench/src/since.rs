//! Finding what changed since an earlier run against evaluating everybody again.

use std::io;
use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::desired::{Audience, Change, Ready};
use rollcall_domain::engine::{Shift, Since};
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
    let now = then + TimeDelta::hours(3);
    let fields = Fields::of(&after);
    let audiences: Vec<_> = workload
        .profiles
        .iter()
        .map(|profile| Audience::of(profile, &fields).map_err(|error| (profile.id, error)))
        .collect();
    let program = Ready::of(&audiences).program;
    let members = members(&after, program.evaluate(&before, then, &[]));
    let members: Vec<Option<&RowSet>> = members.iter().map(Some).collect();
    let since = Since {
        step: before.people.lineage.step,
        at: then,
    };
    let everybody = || program.evaluate(&after, now, &members);
    let affected = || program.shifts(&after, now, since, &members);
    let rows = program.affected(&after, now, since).len();
    if !same(&everybody(), &affected()) {
        return Err(io::Error::other("the changes found are not the same"));
    }
    let (mut slow, mut fast) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds.max(1) {
        slow = slow.min(timed(everybody).0);
        fast = fast.min(timed(affected).0);
    }
    let ratio = slow.as_secs_f64() / fast.as_secs_f64();
    let word = if ratio >= FASTER { "ok" } else { "not" };
    println!(
        "{rows} of {} people looked at again (data changed, or three hours moved them)",
        after.people.count()
    );
    println!("{:<22}{:>12.3} ms of CPU", "everybody", millis(slow));
    println!(
        "{:<22}{:>12.3} ms of CPU",
        "what changed since",
        millis(fast)
    );
    println!("{ratio:.1} times faster, {FASTER} wanted: {word}");
    Ok(())
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
