//! Allocates addresses: checks claims against the current holders and orders the renamings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::target::{Platform, PlatformUser};
use crate::base::ids::ObjectId;
use crate::base::text::fold;

/// The domain of temporary addresses, with its `@`. An address is freed by moving its holder to a
/// temporary one if users exchange addresses. No account can have an address below `.invalid`
/// (RFC 2606).
pub const TEMPORARY_DOMAIN: &str = "@renaming.invalid";

/// A user's claim to an address that the user does not have on the platform yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) person: ObjectId,
    /// The platform's user to rename; `None` if the user has to be created.
    pub(super) user: Option<String>,
    pub(super) email: String,
}

/// The current holder of each sign-in name, by folded name.
#[derive(Debug)]
pub(super) struct Holders<'p>(HashMap<String, &'p str>);

impl<'p> Holders<'p> {
    pub(super) fn of(platform: &'p Platform) -> Self {
        let names = platform.users.iter();
        Self(
            names
                .filter_map(|(key, user)| Some((fold(&user.user_name)?, key.as_str())))
                .collect(),
        )
    }

    pub(super) fn of_name(&self, email: &str) -> Option<&'p str> {
        self.0.get(&fold(email)?).copied()
    }
}

/// Splits the claims into those that can be met and those that cannot, each of these with the
/// current holder of the address. A user who is renamed frees the old address; a user who cannot be
/// renamed keeps it.
pub(super) fn allocate<'p>(
    claims: Vec<Claim>,
    holders: &Holders<'p>,
) -> (Vec<Claim>, Vec<(Claim, &'p str)>) {
    let mut moving: BTreeSet<&str> = claims
        .iter()
        .filter_map(|claim| claim.user.as_deref())
        .collect();
    let mut refused: BTreeMap<ObjectId, &'p str> = BTreeMap::new();
    loop {
        let before = refused.len();
        for claim in &claims {
            if refused.contains_key(&claim.person) {
                continue;
            }
            let Some(holder) = holders.of_name(&claim.email) else {
                continue;
            };
            if claim.user.as_deref() == Some(holder) || moving.contains(holder) {
                continue;
            }
            refused.insert(claim.person, holder);
            // A user who is not renamed still holds the address that other claims counted on.
            if let Some(user) = claim.user.as_deref() {
                moving.remove(user);
            }
        }
        if refused.len() == before {
            break;
        }
    }
    let mut met = Vec::new();
    let mut unmet = Vec::new();
    for claim in claims {
        match refused.get(&claim.person) {
            None => met.push(claim),
            Some(holder) => unmet.push((claim, *holder)),
        }
    }
    (met, unmet)
}

/// Sets a new sign-in name for a user of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Renaming {
    pub(super) user: String,
    pub(super) to: String,
}

/// Orders the renamings so that every address is free when it is assigned. In a cycle, one user
/// temporarily gets an address under `.invalid`, which cannot exist.
pub(super) fn order(
    renamings: Vec<Renaming>,
    users: &BTreeMap<String, PlatformUser>,
) -> Vec<Renaming> {
    let holder: HashMap<String, &str> = renamings
        .iter()
        .filter_map(|it| Some((fold(&users.get(&it.user)?.user_name)?, it.user.as_str())))
        .collect();
    let wants: BTreeMap<&str, &str> = renamings
        .iter()
        .map(|it| (it.user.as_str(), it.to.as_str()))
        .collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut ordered = Vec::new();
    for start in wants.keys().copied() {
        let mut path: Vec<&str> = Vec::new();
        let mut next = Some(start);
        // Follow the chain from each user to the current holder of the address that this user
        // claims.
        while let Some(user) = next.filter(|user| !done.contains(user)) {
            if path.contains(&user) {
                let to = format!("rollcall-{user}{TEMPORARY_DOMAIN}");
                ordered.push(Renaming {
                    user: user.to_owned(),
                    to,
                });
                break;
            }
            path.push(user);
            let wanted = wants.get(user).copied().and_then(fold);
            let blocker = wanted.and_then(|wanted| holder.get(&wanted).copied());
            next = blocker.filter(|blocker| *blocker != user);
        }
        for user in path.into_iter().rev() {
            done.insert(user);
            let to = wants.get(user).copied().unwrap_or_default().to_owned();
            ordered.push(Renaming {
                user: user.to_owned(),
                to,
            });
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::testing::person_id as id;
    use proptest::prelude::*;

    fn platform(names: &[&str]) -> Platform {
        let users = names.iter().map(|name| {
            let user = PlatformUser {
                user_name: (*name).to_owned(),
                active: true,
                ..PlatformUser::default()
            };
            (format!("u-{name}"), user)
        });
        Platform {
            users: users.collect(),
            ..Platform::default()
        }
    }

    fn renaming(from: &str, to: &str) -> Renaming {
        Renaming {
            user: format!("u-{from}"),
            to: to.to_owned(),
        }
    }

    /// Applies the renamings; panics if an address is taken.
    fn carry_out(platform: &Platform, ordered: &[Renaming]) -> BTreeMap<String, String> {
        let mut names: BTreeMap<String, String> = platform
            .users
            .iter()
            .map(|(key, user)| (key.clone(), user.user_name.clone()))
            .collect();
        for Renaming { user, to } in ordered {
            let taken = names
                .iter()
                .any(|(key, name)| key != user && fold(name) == fold(to));
            assert!(
                !taken,
                "{to} is still taken when {user} is renamed: {ordered:?}"
            );
            names.insert(user.clone(), to.clone());
        }
        names
    }

    #[test]
    fn a_chain_is_renamed_from_its_end() {
        let platform = platform(&["a", "b", "c"]);
        let ordered = order(
            vec![renaming("a", "b"), renaming("b", "c"), renaming("c", "d")],
            &platform.users,
        );
        assert_eq!(
            ordered,
            [renaming("c", "d"), renaming("b", "c"), renaming("a", "b")]
        );
        carry_out(&platform, &ordered);
    }

    #[test]
    fn a_circle_takes_an_address_in_between() {
        let platform = platform(&["a", "b", "c"]);
        let circle = vec![renaming("a", "b"), renaming("b", "C"), renaming("c", "a")];
        let ordered = order(circle, &platform.users);
        assert_eq!(ordered.len(), 4);
        let names = carry_out(&platform, &ordered);
        assert_eq!(
            (
                names["u-a"].as_str(),
                names["u-b"].as_str(),
                names["u-c"].as_str()
            ),
            ("b", "C", "a")
        );
    }

    #[test]
    fn who_stays_blocks_those_behind() {
        let platform = platform(&["a", "b", "c"]);
        let holders = Holders::of(&platform);
        let claim = |number, from: &str, to: &str| Claim {
            person: id(number),
            user: Some(format!("u-{from}")),
            email: to.to_owned(),
        };
        // c is not renamed, so b cannot get the address c, so a cannot get the address b.
        let (met, unmet) = allocate(vec![claim(1, "a", "b"), claim(2, "b", "c")], &holders);
        assert!(met.is_empty());
        let taken: Vec<_> = unmet
            .iter()
            .map(|(claim, holder)| (claim.person, *holder))
            .collect();
        assert_eq!(taken, [(id(1), "u-b"), (id(2), "u-c")]);
        let (met, unmet) = allocate(vec![claim(1, "a", "b"), claim(2, "b", "d")], &holders);
        assert_eq!((met.len(), unmet.len()), (2, 0));
    }

    proptest! {
        /// Any permutation of addresses, in which one user may move to a free address, is applied
        /// without a collision and gives every user the desired address.
        #[test]
        fn every_permutation_has_an_order(wanted in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(), out in 0..8_usize) {
            let names: Vec<String> = (0..8).map(|number| format!("n{number}")).collect();
            let platform = platform(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let target = |from: usize| if from == out { "free".to_owned() } else { names[wanted[from]].clone() };
            let moves = |from: &usize| target(*from) != names[*from];
            let renamings: Vec<_> = (0..8).filter(moves).map(|from| renaming(&names[from], &target(from))).collect();
            let found = carry_out(&platform, &order(renamings, &platform.users));
            for (from, name) in names.iter().enumerate() {
                prop_assert_eq!(&found[&format!("u-{name}")], &target(from));
            }
        }
    }
}
