//! The order in which profiles that name each other must be evaluated.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::ProfileId;

/// The profiles in an order in which each comes after those it names, and the profiles that cannot
/// be ordered because they are part of a cycle (S4-088f) or depend on one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Profiles in evaluation order.
    pub sorted: Vec<ProfileId>,
    /// Profiles that are part of a cycle or depend on one.
    pub cyclic: BTreeSet<ProfileId>,
}

/// Orders profiles by the profiles that their overrides name; unknown profiles are ignored.
pub fn order(names: &BTreeMap<ProfileId, BTreeSet<ProfileId>>) -> Order {
    let mut waiting: BTreeMap<ProfileId, BTreeSet<ProfileId>> = names
        .iter()
        .map(|(id, needs)| {
            (
                *id,
                needs
                    .iter()
                    .copied()
                    .filter(|need| names.contains_key(need))
                    .collect(),
            )
        })
        .collect();
    let mut dependants: BTreeMap<ProfileId, Vec<ProfileId>> = BTreeMap::new();
    for (id, needs) in &waiting {
        for need in needs {
            dependants.entry(*need).or_default().push(*id);
        }
    }
    let mut ready: Vec<ProfileId> = waiting
        .iter()
        .filter(|(_, needs)| needs.is_empty())
        .map(|(id, _)| *id)
        .rev()
        .collect();
    let mut order = Order::default();
    while let Some(id) = ready.pop() {
        waiting.remove(&id);
        order.sorted.push(id);
        for dependant in dependants.remove(&id).unwrap_or_default() {
            if let Some(needs) = waiting.get_mut(&dependant) {
                needs.remove(&id);
                if needs.is_empty() {
                    ready.push(dependant);
                }
            }
        }
    }
    order.cyclic = waiting.into_keys().collect();
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> ProfileId {
        ProfileId::new(Uuid::from_u128(number))
    }

    fn names(pairs: &[(u128, &[u128])]) -> BTreeMap<ProfileId, BTreeSet<ProfileId>> {
        pairs
            .iter()
            .map(|(from, to)| (id(*from), to.iter().map(|number| id(*number)).collect()))
            .collect()
    }

    #[test]
    fn a_profile_comes_after_those_it_names() {
        let order = order(&names(&[(1, &[2, 3]), (2, &[3]), (3, &[]), (4, &[99])]));
        let place = |number| order.sorted.iter().position(|found| *found == id(number));
        assert!(place(3) < place(2) && place(2) < place(1) && place(4).is_some());
        assert!(order.cyclic.is_empty());
    }

    /// Proves S4-088f: cycles are detected, including indirect ones and profiles that name
    /// themselves.
    #[test]
    fn circles_and_what_depends_on_them_are_set_aside() {
        let order = order(&names(&[
            (1, &[2]),
            (2, &[1]),
            (3, &[1]),
            (4, &[4]),
            (5, &[]),
        ]));
        assert_eq!(order.sorted, [id(5)]);
        assert_eq!(order.cyclic, BTreeSet::from([id(1), id(2), id(3), id(4)]));
    }
}
