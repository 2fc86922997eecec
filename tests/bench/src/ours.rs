//! The product's engine: the one file that knows its interface.

use std::collections::BTreeMap;
use std::io;

use chrono::{DateTime, Utc};
use rollcall_domain::audience::desired_members::{Audience, AudienceError, Change, evaluate};
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::snapshot::format::{decode, encode};

use crate::checksum::Checksum;
use crate::workload::Workload;

/// Of the members of today, every so many are not yet in the group: a run finds
/// a few changes, as runs do.
const DRIFT: usize = 97;

/// A snapshot, checked audiences and the members of today.
pub struct Ours {
    snapshot: Snapshot,
    audiences: Vec<Result<Audience, (ProfileId, AudienceError)>>,
    profiles: Vec<ProfileId>,
    /// Rows in ascending order of the people's ids, the order of the peers.
    by_id: Vec<u32>,
    at: DateTime<Utc>,
    current: BTreeMap<ProfileId, RowSet>,
}

/// What an evaluation answers.
pub type Answer = BTreeMap<ProfileId, Result<Change, AudienceError>>;

impl Ours {
    /// Checks the audiences and determines the members of today, all outside
    /// the timed part.
    pub fn new(snapshot: Snapshot, profiles: &[Profile], at: DateTime<Utc>) -> Self {
        let fields = Fields::of(&snapshot);
        let people = &snapshot.people;
        let by_id = people.by_id.iter().copied();
        let mut ours = Self {
            audiences: profiles
                .iter()
                .map(|profile| Audience::of(profile, &fields).map_err(|error| (profile.id, error)))
                .collect(),
            profiles: profiles.iter().map(|profile| profile.id).collect(),
            by_id: by_id.filter(|row| people.living.contains(*row)).collect(),
            at,
            current: BTreeMap::new(),
            snapshot,
        };
        let answer = ours.evaluate();
        ours.current = ours
            .profiles
            .iter()
            .map(|profile| (*profile, drifted(&ours.members(&answer, *profile))))
            .collect();
        ours
    }

    /// From a workload.
    pub fn of(workload: &Workload) -> Self {
        Self::new(workload.snapshot(), &workload.profiles, workload.at)
    }

    /// Bytes of the members of today, a bit for each person and profile.
    pub fn current_bytes(&self) -> u64 {
        let sets = self.current.values();
        sets.map(|rows| rows.words().len() as u64 * 8).sum()
    }

    /// What is measured: members of all profiles, overrides applied, compared
    /// with the members of today. Compiling the rules is part of it.
    pub fn evaluate(&self) -> Answer {
        evaluate(&self.audiences, &self.snapshot, self.at, &self.current)
    }

    /// The members of a profile, from those of today and the changes.
    ///
    /// # Panics
    /// If the profile has no audience: the workload has none such.
    fn members(&self, answer: &Answer, profile: ProfileId) -> RowSet {
        let nobody = RowSet::new(self.snapshot.people.rows());
        match &answer[&profile] {
            Ok(change) => {
                let current = self.current.get(&profile).unwrap_or(&nobody);
                change.members(current).all
            }
            Err(error) => panic!("{profile}: {error}"),
        }
    }

    /// What the peers' members are compared with, over one person in so many.
    pub fn checksums(&self, answer: &Answer, every: u32) -> Vec<Checksum> {
        let ids = &self.snapshot.people.ids;
        let of = |profile: &ProfileId| {
            let members = self.members(answer, *profile);
            let sampled = self.by_id.iter().step_by(every as usize);
            let found = sampled.filter(|row| members.contains(**row));
            Checksum::of(found.map(|row| ids[*row as usize].uuid().into_bytes()))
        };
        self.profiles.iter().map(of).collect()
    }
}

/// All but one in [`DRIFT`] of these.
fn drifted(members: &RowSet) -> RowSet {
    let mut current = RowSet::new(members.universe());
    let kept = members.iter().enumerate();
    current.extend(kept.filter(|(at, _)| at % DRIFT != 0).map(|(_, row)| row));
    current
}

/// A snapshot as stored.
pub fn store(snapshot: &Snapshot) -> io::Result<Vec<u8>> {
    encode(snapshot)
}

/// A stored snapshot.
pub fn load(bytes: &[u8]) -> io::Result<Snapshot> {
    decode(bytes).map_err(io::Error::other)
}
