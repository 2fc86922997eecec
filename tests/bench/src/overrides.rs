//! Applies exceptions with plain sets, as any program does after using a rule library.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::audience::profile::{Profile, Target};

use crate::person::{Person, bytes};

/// Members of every profile: ascending indexes into the list of users.
pub type Members = Vec<Vec<u32>>;

/// Applies includes and excludes; excludes take precedence. A profile refers only to profiles
/// before it. `people` are the users for whom the filters were evaluated.
pub fn apply(profiles: &[Profile], people: &[&Person], matching: Members) -> Members {
    let place: HashMap<[u8; 16], u32> = people
        .iter()
        .zip(0u32..)
        .map(|(person, place)| (person.id, place))
        .collect();
    let mut of: BTreeMap<ProfileId, Vec<u32>> = BTreeMap::new();
    for (profile, matching) in profiles.iter().zip(matching) {
        let targets = |targets: &BTreeSet<Target>| -> BTreeSet<u32> {
            targets
                .iter()
                .flat_map(|target| match target {
                    Target::User(user) => place.get(&bytes(*user)).into_iter().copied().collect(),
                    Target::Profile(other) => of[other].clone(),
                })
                .collect()
        };
        let overrides = &profile.overrides;
        let members = if overrides.is_empty() {
            matching
        } else {
            let mut members: BTreeSet<u32> = matching.into_iter().collect();
            members.extend(targets(&overrides.include));
            let exclude = targets(&overrides.exclude);
            members.difference(&exclude).copied().collect()
        };
        of.insert(profile.id, members);
    }
    profiles
        .iter()
        .filter_map(|profile| of.remove(&profile.id))
        .collect()
}
