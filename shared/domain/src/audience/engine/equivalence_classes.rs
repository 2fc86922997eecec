//! Groups the codes of a column into classes that no predicate distinguishes.

use std::ops::Range;

use hashbrown::HashMap;

/// Number of predicates in one signature.
pub(super) const SIGNED: usize = 16;

/// Up to this many pairs of class and signature, a table is used; above it, a hash map.
const MOST_KEYS: u64 = 1 << 16;

/// For each code, which of up to [`SIGNED`] predicates hold: bit `n` for predicate `n`.
pub(super) type Signatures = Vec<u16>;

/// The codes of a column in classes: codes of one class pass the same predicates.
#[derive(Debug)]
pub(super) struct EquivalenceClasses {
    /// The class of each code.
    pub(super) of: Vec<u32>,
    /// Number of classes.
    pub(super) count: u32,
}

impl EquivalenceClasses {
    /// Puts all codes `0..codes` into one class.
    pub(super) fn new(codes: u32) -> Self {
        Self {
            of: vec![0; codes as usize],
            count: 1,
        }
    }

    /// Splits classes so that each list of codes is a union of classes. The cost is the total
    /// length of the lists, so this is for predicates that few codes pass.
    pub(super) fn split<'l>(&mut self, lists: impl IntoIterator<Item = &'l [u32]>) {
        // For each class: the new class for its codes in the current list, and the number of that
        // list.
        let mut fresh: Vec<(u32, usize)> = vec![(0, usize::MAX); self.count as usize];
        for (number, list) in lists.into_iter().enumerate() {
            for code in list {
                let Some(class) = self.of.get_mut(*code as usize) else {
                    continue;
                };
                let old = *class as usize;
                if fresh[old].1 != number {
                    fresh[old] = (self.count, number);
                    fresh.push((0, usize::MAX));
                    self.count += 1;
                }
                *class = fresh[old].0;
            }
        }
    }

    /// Splits classes so that all codes of a class have the same signature; `bits` is the number of
    /// predicates in a signature.
    pub(super) fn refine(&mut self, signatures: &Signatures, bits: usize) {
        let keys = u64::from(self.count) << bits;
        let of = self.of.iter_mut().zip(signatures);
        let key = |class: u32, signature: u16| u64::from(class) << bits | u64::from(signature);
        let mut count = 0;
        let mut fresh = || {
            count += 1;
            count - 1
        };
        if keys <= MOST_KEYS {
            let mut known = vec![u32::MAX; usize::try_from(keys).unwrap_or(0)];
            for (class, signature) in of {
                let known = &mut known[usize::try_from(key(*class, *signature)).unwrap_or(0)];
                if *known == u32::MAX {
                    *known = fresh();
                }
                *class = *known;
            }
        } else {
            let mut known: HashMap<u64, u32> = HashMap::new();
            for (class, signature) in of {
                let key = key(*class, *signature);
                *class = *known.entry(key).or_insert_with(&mut fresh);
            }
        }
        self.count = count.max(1);
    }

    /// Renumbers the classes without gaps and returns one code of each.
    pub(super) fn renumber(&mut self) -> Vec<u32> {
        let mut number = vec![u32::MAX; self.count as usize];
        let mut codes = Vec::new();
        for (class, code) in self.of.iter_mut().zip(0u32..) {
            let number = &mut number[*class as usize];
            if *number == u32::MAX {
                *number = u32::try_from(codes.len()).unwrap_or(u32::MAX);
                codes.push(code);
            }
            *class = *number;
        }
        self.count = u32::try_from(codes.len()).unwrap_or(u32::MAX).max(1);
        codes
    }

    /// Collects the classes that contain codes of a list, in ascending order.
    pub(super) fn of_list(&self, list: &[u32], marks: &mut Vec<bool>, found: &mut Vec<u32>) {
        marks.clear();
        marks.resize(self.count as usize, false);
        found.clear();
        for code in list {
            let class = self.of[*code as usize];
            if !std::mem::replace(&mut marks[class as usize], true) {
                found.push(class);
            }
        }
        found.sort_unstable();
    }

    /// Splits `0..codes` where a range begins or ends. Code 0, the missing value, is class 0;
    /// classes ascend with the codes.
    pub(super) fn cut(codes: u32, ranges: impl IntoIterator<Item = Range<u32>>) -> Self {
        let mut begins = vec![false; codes as usize + 1];
        if codes > 1 {
            begins[1] = true;
        }
        for range in ranges {
            begins[range.start.min(codes) as usize] = true;
            begins[range.end.min(codes) as usize] = true;
        }
        let mut class = 0;
        let of: Vec<u32> = begins[..codes as usize]
            .iter()
            .enumerate()
            .map(|(code, begins)| {
                class += u32::from(*begins && code > 0);
                class
            })
            .collect();
        Self {
            of,
            count: class + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Every list and every signed predicate is a union of classes, and there are no more
        /// classes than needed.
        #[test]
        fn every_test_is_a_union_of_as_few_classes_as_possible(
            lists in proptest::collection::vec(proptest::collection::btree_set(0u32..40, 0..40), 0..5),
            signatures in proptest::option::of(proptest::collection::vec(0u16..8, 40)),
        ) {
            let lists: Vec<Vec<u32>> = lists.into_iter().map(|list| list.into_iter().collect()).collect();
            let mut classes = EquivalenceClasses::new(40);
            classes.split(lists.iter().map(Vec::as_slice));
            if let Some(signatures) = &signatures {
                classes.refine(signatures, 3);
            }
            let some = classes.renumber();
            let (mut marks, mut union) = (Vec::new(), Vec::new());
            for list in &lists {
                classes.of_list(list, &mut marks, &mut union);
                for code in 0..40u32 {
                    prop_assert_eq!(list.contains(&code), union.contains(&classes.of[code as usize]));
                }
            }
            let signature = |code: u32| signatures.as_ref().map_or(0, |signatures| signatures[code as usize]);
            for code in 0..40u32 {
                prop_assert_eq!(signature(code), signature(some[classes.of[code as usize] as usize]));
            }
            let told_apart: BTreeSet<(Vec<bool>, u16)> = (0..40u32)
                .map(|code| (lists.iter().map(|list| list.contains(&code)).collect(), signature(code)))
                .collect();
            prop_assert_eq!(classes.count as usize, told_apart.len());
        }
    }

    #[test]
    fn ranges_cut_codes_where_they_begin_and_end() {
        let classes = EquivalenceClasses::cut(8, [2..5, 4..8, 3..3]);
        assert_eq!(classes.of, [0, 1, 2, 3, 4, 5, 5, 5]);
        assert_eq!(classes.count, 6);
        assert_eq!(EquivalenceClasses::cut(1, []).of, [0]);
        assert_eq!(EquivalenceClasses::cut(3, []).of, [0, 1, 1]);
    }
}
