//! Measures the computation of a maintenance run: load snapshot and members, evaluate, plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use rollcall_domain::audience::desired_members::{Audience, evaluate};
use rollcall_domain::base::ids::{ObjectId, ProfileId};
use rollcall_domain::membership::plan::diff::{Accounts, GroupMembers, PlanTarget, plan};
use rollcall_domain::membership::plan::recorded_members::RecordedMembers;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::Snapshot;
use serde_json::json;
use uuid::Uuid;

use crate::cpu::{millis, peak_memory, timed};
use crate::export::{SNAPSHOT, STORED};
use crate::ours::{load, store};
use crate::workload::{Sizes, Workload};

/// One in this many of today's members is not in the group yet.
const DRIFT: usize = 9_973;

/// Writes a snapshot, its profiles and the stored members of each.
///
/// # Errors
/// If a file cannot be written.
pub fn keep(sizes: Sizes, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let workload = Workload::new(sizes);
    let snapshot = workload.snapshot();
    fs::write(folder.join(SNAPSHOT), store(&snapshot)?)?;
    fs::write(folder.join(STORED), serde_json::to_vec(&workload.profiles)?)?;
    let Workload { profiles, at, data } = workload;
    drop(data);
    let none = BTreeMap::new();
    let all = evaluate(&audiences(&profiles, &snapshot), &snapshot, at, &none);
    for (profile, change) in all {
        let change = change.map_err(io::Error::other)?;
        let mut rows = RowSet::new(snapshot.people.rows());
        let joins = change.joins.into_iter().enumerate();
        rows.extend(joins.filter(|(at, _)| at % DRIFT != 0).map(|(_, row)| row));
        let kept = RecordedMembers {
            lineage: snapshot.people.lineage.first.clone(),
            group: group(profile),
            profile_version: 1,
            members: GroupMembers {
                rows,
                ..GroupMembers::default()
            },
            read_at: at,
            unconfirmed: BTreeSet::new(),
        };
        let bytes = kept.to_bytes().unwrap_or_default();
        fs::write(folder.join(format!("{profile}.kept")), bytes)?;
    }
    Ok(())
}

fn group(profile: ProfileId) -> ObjectId {
    ObjectId::new(Uuid::from_u128(!profile.uuid().as_u128()))
}

type Checked = Vec<Result<Audience, (ProfileId, rollcall_domain::audience::desired_members::AudienceError)>>;

fn audiences(profiles: &[Profile], snapshot: &Snapshot) -> Checked {
    let fields = Fields::of(snapshot);
    let checked = profiles
        .iter()
        .map(|profile| Audience::of(profile, &fields).map_err(|error| (profile.id, error)));
    checked.collect()
}

/// Measures one run over the output of [`keep`], in this process; prints a JSON object.
///
/// # Errors
/// If a file cannot be read.
pub fn run(folder: &Path) -> io::Result<()> {
    let file = fs::read(folder.join(SNAPSHOT))?;
    let profiles: Vec<Profile> = serde_json::from_slice(&fs::read(folder.join(STORED))?)?;
    let mut kept = Vec::new();
    for profile in &profiles {
        kept.push(fs::read(folder.join(format!("{}.kept", profile.id)))?);
    }
    let (loading, snapshot) = timed(|| load(&file));
    let snapshot = snapshot?;
    drop(file);
    let (reading, (accounts, current)) = timed(|| {
        let accounts = Accounts::of(&snapshot.people);
        let current = members(&profiles, &kept, &snapshot, &accounts);
        (accounts, current)
    });
    let rows: BTreeMap<ProfileId, RowSet> = current
        .iter()
        .map(|(id, members)| (*id, members.rows.clone()))
        .collect();
    let (evaluating, changes) = timed(|| {
        evaluate(
            &audiences(&profiles, &snapshot),
            &snapshot,
            Workload::slot(),
            &rows,
        )
    });
    let (planning, planned) = timed(|| {
        let plans = changes.iter().map(|(id, change)| {
            let change = change
                .as_ref()
                .map_err(|error| io::Error::other(error.to_string()))?;
            let about = PlanTarget {
                profile: *id,
                group: Some(group(*id)),
            };
            Ok(plan(about, &snapshot, &accounts, change, &current[id]).changes())
        });
        plans.sum::<io::Result<usize>>()
    });
    let report = json!({
        "people": snapshot.people.count(),
        "enrolments": snapshot.enrolments.len(),
        "profiles": profiles.len(),
        "changes": planned?,
        "load_cpu_ms": millis(loading),
        "kept_cpu_ms": millis(reading),
        "evaluate_cpu_ms": millis(evaluating),
        "plan_cpu_ms": millis(planning),
        "all_cpu_ms": millis(loading + reading + evaluating + planning),
        "peak_memory_bytes": peak_memory(),
    });
    println!("{report:#}");
    Ok(())
}

fn members(
    profiles: &[Profile],
    kept: &[Vec<u8>],
    snapshot: &Snapshot,
    accounts: &Accounts,
) -> BTreeMap<ProfileId, GroupMembers> {
    let read = profiles.iter().zip(kept).filter_map(|(profile, bytes)| {
        let kept = RecordedMembers::from_bytes(bytes).ok()?;
        Some((profile.id, kept.rebase_on(snapshot, accounts)?))
    });
    read.collect()
}
