//! An adapter for the product's engine; no other file uses its interface.

use std::collections::BTreeMap;
use std::io;

use chrono::{DateTime, Utc};
use rollcall_domain::audience::desired_members::{Audience, AudienceChange, AudienceError, evaluate};
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::snapshot::format::{decode, encode};

use crate::checksum::Checksum;
use crate::workload::Workload;

/// One in this many of today's members is not yet in the group, so that an evaluation finds some
/// changes, like real runs.
const DRIFT: usize = 97;

/// A snapshot, validated audiences and today's members.
pub struct Ours {
    snapshot: Snapshot,
    audiences: Vec<Result<Audience, (ProfileId, AudienceError)>>,
    profiles: Vec<ProfileId>,
    /// Rows in ascending order of user ids, like the peers.
    by_id: Vec<u32>,
    at: DateTime<Utc>,
    current: BTreeMap<ProfileId, RowSet>,
}

/// The result of an evaluation.
pub type Answer = BTreeMap<ProfileId, Result<AudienceChange, AudienceError>>;

impl Ours {
    /// Validates the audiences and determines today's members, outside the timed part.
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

    /// Creates the engine's input from a workload.
    pub fn of(workload: &Workload) -> Self {
        Self::new(workload.snapshot(), &workload.profiles, workload.at)
    }

    /// Returns the size of today's members in bytes, with a bit for each user and profile.
    pub fn current_bytes(&self) -> u64 {
        let sets = self.current.values();
        sets.map(|rows| rows.words().len() as u64 * 8).sum()
    }

    /// The measured part: evaluates all profiles with overrides and compares the result with
    /// today's members. This includes compiling the rules.
    pub fn evaluate(&self) -> Answer {
        evaluate(&self.audiences, &self.snapshot, self.at, &self.current)
    }

    /// Returns the members of a profile, from today's members and the changes.
    ///
    /// # Panics
    /// If the profile has no audience, which does not occur in the workload.
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

    /// Returns the checksums for the comparison with peers, over one user in `every`.
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

/// Returns all but one in [`DRIFT`] of the members.
fn drifted(members: &RowSet) -> RowSet {
    let mut current = RowSet::new(members.universe());
    let kept = members.iter().enumerate();
    current.extend(kept.filter(|(at, _)| at % DRIFT != 0).map(|(_, row)| row));
    current
}

/// Encodes a snapshot in its stored format.
pub fn store(snapshot: &Snapshot) -> io::Result<Vec<u8>> {
    encode(snapshot)
}

/// Decodes a stored snapshot.
pub fn load(bytes: &[u8]) -> io::Result<Snapshot> {
    decode(bytes).map_err(io::Error::other)
}
