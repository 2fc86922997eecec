//! The profiles that a profile's overrides depend on, and detection of cycles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::profile::{Profile, Target};
use crate::base::ids::ProfileId;
use crate::base::problem::Problem;

/// Maximum number of problems returned.
pub const MAX_PROBLEMS: usize = 100;

/// The profiles that overrides name, directly or through other profiles. The starting profile is in
/// none of the sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closure {
    /// Active profiles: their audiences must be evaluated together with the profile's.
    pub needs: BTreeSet<ProfileId>,
    /// Deleted profiles: they have no audience, and neither has a profile that names one.
    pub deleted: BTreeSet<ProfileId>,
    /// Profiles that the lookup does not know. Load them and call [`closure`] again until all
    /// existing ones are known.
    pub unknown: BTreeSet<ProfileId>,
}

/// Returns the profiles that a profile's overrides depend on. `known` looks up loaded profiles; it
/// is called once for each profile and never for the starting profile.
pub fn closure<'a>(profile: &Profile, known: impl Fn(ProfileId) -> Option<&'a Profile>) -> Closure {
    let mut closure = Closure::default();
    let mut seen = BTreeSet::from([profile.id]);
    let mut waiting: Vec<ProfileId> = profile.overrides.profiles().collect();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        match known(id) {
            None => closure.unknown.insert(id),
            Some(named) if named.is_deleted() => closure.deleted.insert(id),
            Some(named) => {
                waiting.extend(named.overrides.profiles());
                closure.needs.insert(id)
            }
        };
    }
    closure
}

/// Checks the profiles that overrides name before they are saved (S4-088f). A problem is the
/// profile itself, a missing or deleted profile, or one whose overrides lead back. `include` and
/// `exclude` are the entries in the order written, so that pointers such as `/overrides/include/2`
/// are correct. `known` looks up every profile of the [`closure`]. Returns at most [`MAX_PROBLEMS`]
/// problems.
pub fn problems<'a>(
    own: ProfileId,
    include: &[Target],
    exclude: &[Target],
    known: impl Fn(ProfileId) -> Option<&'a Profile>,
) -> Vec<Problem> {
    let mut search = Search {
        own,
        known,
        harmless: BTreeSet::new(),
    };
    let lists = [("include", include), ("exclude", exclude)];
    let entries = lists.into_iter().flat_map(|(name, targets)| {
        let targets = targets.iter().enumerate();
        targets.map(move |(index, target)| (format!("/overrides/{name}/{index}"), *target))
    });
    entries
        .filter_map(|(pointer, target)| match target {
            Target::User(_) => None,
            Target::Profile(id) => Some(Problem::at(pointer, search.wrong(id)?)),
        })
        .take(MAX_PROBLEMS)
        .collect()
}

struct Search<F> {
    own: ProfileId,
    known: F,
    /// Profiles from which no path leads back.
    harmless: BTreeSet<ProfileId>,
}

impl<'a, F: Fn(ProfileId) -> Option<&'a Profile>> Search<F> {
    /// Returns the problem with naming this profile.
    fn wrong(&mut self, id: ProfileId) -> Option<String> {
        if id == self.own {
            return Some("a profile cannot name itself; remove this entry".to_owned());
        }
        let Some(named) = (self.known)(id) else {
            return Some(format!(
                "there is no profile {id}; choose another or remove this entry"
            ));
        };
        if named.is_deleted() {
            return Some(format!(
                "the profile {:?} is deleted; restore it, choose another or remove this entry",
                named.title
            ));
        }
        let way = self.way_back(id)?;
        Some(format!(
            "this override forms a cycle: {}, which names this profile; remove one of these overrides",
            way.join(", which names ")
        ))
    }

    /// Returns the titles on the shortest path from a profile back to the one being saved.
    fn way_back(&mut self, start: ProfileId) -> Option<Vec<String>> {
        let mut from: BTreeMap<ProfileId, Option<ProfileId>> = BTreeMap::from([(start, None)]);
        let mut waiting = VecDeque::from([start]);
        while let Some(here) = waiting.pop_front() {
            let Some(named) = (self.known)(here).filter(|named| !named.is_deleted()) else {
                continue;
            };
            for next in named.overrides.profiles() {
                if next == self.own {
                    return Some(self.titles(&from, here));
                }
                if !self.harmless.contains(&next) && !from.contains_key(&next) {
                    from.insert(next, Some(here));
                    waiting.push_back(next);
                }
            }
        }
        self.harmless.extend(from.into_keys());
        None
    }

    fn titles(
        &self,
        from: &BTreeMap<ProfileId, Option<ProfileId>>,
        last: ProfileId,
    ) -> Vec<String> {
        let before = |id: &ProfileId| from.get(id).copied().flatten();
        let way = std::iter::successors(Some(last), before);
        let mut titles: Vec<String> = way
            .filter_map(|id| Some(format!("{:?}", (self.known)(id)?.title)))
            .collect();
        titles.reverse();
        titles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::evaluation_order::order;
    use crate::audience::profile::Lifecycle;
    use crate::testing::{World, profile, profile_id, slot};
    use proptest::prelude::*;

    const TITLES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

    type Profiles = BTreeMap<ProfileId, Profile>;

    fn profiles(names: &[(&str, &[&str])]) -> Profiles {
        let made = names.iter().map(|(title, named)| {
            let mut made = profile(title);
            let named = named.iter().map(|title| Target::Profile(profile_id(title)));
            made.overrides.include = named.collect();
            (made.id, made)
        });
        made.collect()
    }

    fn delete(profiles: &mut Profiles, title: &str) {
        let deleted = profiles
            .get_mut(&profile_id(title))
            .expect("profile missing");
        deleted.lifecycle = Lifecycle::Deleted {
            at: slot(),
            by: String::new(),
            handled: true,
            auto_populate_before: true,
            enroll_before: true,
        };
    }

    fn ids(titles: &[&str]) -> BTreeSet<ProfileId> {
        titles.iter().map(|title| profile_id(title)).collect()
    }

    fn found(profiles: &Profiles, own: &str, include: &[Target]) -> Vec<String> {
        problems(profile_id(own), include, &[], |id| profiles.get(&id))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Proves S4-088d: profiles named by overrides are found, also indirectly.
    #[test]
    fn what_is_needed_is_found_through_others() {
        let mut all = profiles(&[
            ("A", &["B", "X"]),
            ("B", &["C", "D"]),
            ("C", &["A"]),
            ("D", &[]),
        ]);
        delete(&mut all, "D");
        let closure = closure(&all[&profile_id("A")], |id| all.get(&id));
        assert_eq!(closure.needs, ids(&["B", "C"]));
        assert_eq!(closure.deleted, ids(&["D"]));
        assert_eq!(closure.unknown, ids(&["X"]));
    }

    /// Proves S4-088f: a cycle is rejected before it is saved, and the path is reported.
    #[test]
    fn a_circle_is_reported_with_its_way_and_place() {
        let mut all = profiles(&[
            ("A", &[]),
            ("B", &["C"]),
            ("C", &["A", "D"]),
            ("D", &[]),
            ("E", &["D"]),
        ]);
        delete(&mut all, "D");
        let named = ["E", "A", "B", "C", "D", "X"].map(|title| Target::Profile(profile_id(title)));
        let mut entries = vec![Target::User(World::user("Ada"))];
        entries.extend(named);
        let text = found(&all, "A", &entries).join("\n");
        let text = text.replace(&profile_id("X").to_string(), "X");
        insta::assert_snapshot!(text, @r#"
        /overrides/include/2: a profile cannot name itself; remove this entry
        /overrides/include/3: this override forms a cycle: "B", which names "C", which names this profile; remove one of these overrides
        /overrides/include/4: this override forms a cycle: "C", which names this profile; remove one of these overrides
        /overrides/include/5: the profile "D" is deleted; restore it, choose another or remove this entry
        /overrides/include/6: there is no profile X; choose another or remove this entry
        "#);
    }

    proptest! {
        /// Profiles without a problem can be ordered; profiles with one cannot.
        #[test]
        fn the_check_agrees_with_the_order_of_evaluation(
            pairs in proptest::collection::btree_set((0usize..6, 0usize..6), 0..12),
            names in proptest::sample::subsequence(TITLES.to_vec(), 0..4),
        ) {
            // Profiles are saved one after the other, as in practice, so cycles are never stored.
            let mut all = profiles(&TITLES.map(|title| (title, &[][..])));
            for (from, to) in pairs {
                let (from, to) = (profile_id(TITLES[from]), Target::Profile(profile_id(TITLES[to])));
                if problems(from, &[], &[to], |id| all.get(&id)).is_empty() {
                    all.get_mut(&from).expect("profile missing").overrides.exclude.insert(to);
                }
            }
            let own = profile_id("A");
            let include: Vec<_> = names.iter().map(|title| Target::Profile(profile_id(title))).collect();
            let wrong = problems(own, &include, &[], |id| all.get(&id));
            all.get_mut(&own).expect("profile missing").overrides.include = include.into_iter().collect();
            all.get_mut(&own).expect("profile missing").overrides.exclude.clear();
            let graph = all.values().map(|profile| (profile.id, profile.overrides.profiles().collect())).collect();
            prop_assert_eq!(wrong.is_empty(), order(&graph).cyclic.is_empty());
        }
    }
}
