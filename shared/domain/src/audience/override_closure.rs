//! Which profiles a profile's overrides need, and whether they lead in a circle back to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::profile::{Profile, Target};
use crate::base::ids::ProfileId;
use crate::base::problem::Problem;

/// So many wrong overrides are told at once.
pub const MAX_PROBLEMS: usize = 100;

/// The profiles that overrides name, directly or through other profiles. The
/// profile that was asked about is in none of the sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closure {
    /// Those in use: their audiences have to be evaluated together with the profile's.
    pub needs: BTreeSet<ProfileId>,
    /// Those that are deleted: they have no audience, and whoever names one has none either.
    pub deleted: BTreeSet<ProfileId>,
    /// Those the lookup does not know. Load them and ask again, until it knows
    /// all that exist.
    pub unknown: BTreeSet<ProfileId>,
}

/// What the overrides of a profile need. `known` looks up profiles that are
/// loaded already; it is asked once for each, never for the profile itself.
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

/// What is wrong with the profiles that overrides name, before they are saved
/// (S4-088f): the profile itself, one that does not exist or is deleted, one
/// whose own overrides lead back. `include` and `exclude` are the entries in the
/// order they were written, so that pointers such as `/overrides/include/2` hold;
/// `known` looks up every profile of the [`closure`]. At most [`MAX_PROBLEMS`].
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
    /// Profiles from which no way leads back.
    harmless: BTreeSet<ProfileId>,
}

impl<'a, F: Fn(ProfileId) -> Option<&'a Profile>> Search<F> {
    /// What is wrong with naming this profile.
    fn wrong(&mut self, id: ProfileId) -> Option<String> {
        if id == self.own {
            return Some("a profile cannot name itself; take this entry out".to_owned());
        }
        let Some(named) = (self.known)(id) else {
            return Some(format!(
                "there is no profile {id}; choose another or take this entry out"
            ));
        };
        if named.is_deleted() {
            return Some(format!(
                "the profile {:?} is deleted; restore it, choose another or take this entry out",
                named.title
            ));
        }
        let way = self.way_back(id)?;
        Some(format!(
            "this leads in a circle: {}, which names this profile; take one of these overrides out",
            way.join(", which names ")
        ))
    }

    /// The titles on the shortest way from a profile back to the one being saved.
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
        let deleted = profiles.get_mut(&profile_id(title)).expect("there");
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

    /// Proves S4-088d: what overrides name, they name through others, too.
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

    /// Proves S4-088f: a circle is refused before it is saved, with the way it takes.
    #[test]
    fn a_circle_is_told_with_its_way_and_place() {
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
        /overrides/include/2: a profile cannot name itself; take this entry out
        /overrides/include/3: this leads in a circle: "B", which names "C", which names this profile; take one of these overrides out
        /overrides/include/4: this leads in a circle: "C", which names this profile; take one of these overrides out
        /overrides/include/5: the profile "D" is deleted; restore it, choose another or take this entry out
        /overrides/include/6: there is no profile X; choose another or take this entry out
        "#);
    }

    proptest! {
        /// What is saved without a problem can be put in order; what has one cannot.
        #[test]
        fn the_check_agrees_with_the_order_of_evaluation(
            pairs in proptest::collection::btree_set((0usize..6, 0usize..6), 0..12),
            names in proptest::sample::subsequence(TITLES.to_vec(), 0..4),
        ) {
            // Saved one after the other, as people do: circles never get in.
            let mut all = profiles(&TITLES.map(|title| (title, &[][..])));
            for (from, to) in pairs {
                let (from, to) = (profile_id(TITLES[from]), Target::Profile(profile_id(TITLES[to])));
                if problems(from, &[], &[to], |id| all.get(&id)).is_empty() {
                    all.get_mut(&from).expect("there").overrides.exclude.insert(to);
                }
            }
            let own = profile_id("A");
            let include: Vec<_> = names.iter().map(|title| Target::Profile(profile_id(title))).collect();
            let wrong = problems(own, &include, &[], |id| all.get(&id));
            all.get_mut(&own).expect("there").overrides.include = include.into_iter().collect();
            all.get_mut(&own).expect("there").overrides.exclude.clear();
            let graph = all.values().map(|profile| (profile.id, profile.overrides.profiles().collect())).collect();
            prop_assert_eq!(wrong.is_empty(), order(&graph).cyclic.is_empty());
        }
    }
}
