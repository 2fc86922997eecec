//! The codes that pass each of several predicates, in one allocation.

/// Codes by predicate.
pub(super) struct PostingLists<'t> {
    tests: &'t [usize],
    /// The offset of each predicate's first code, and the end as the last entry.
    begins: Vec<usize>,
    codes: Vec<u32>,
}

impl<'t> PostingLists<'t> {
    /// Groups codes by the position of their predicate in `tests`; their order is retained.
    pub(super) fn of(tests: &'t [usize], found: &[(usize, u32)]) -> Self {
        let mut begins = vec![0; tests.len() + 1];
        for (place, _) in found {
            begins[place + 1] += 1;
        }
        for place in 0..tests.len() {
            begins[place + 1] += begins[place];
        }
        let (mut codes, mut next) = (vec![0; found.len()], begins.clone());
        for (place, code) in found {
            codes[next[*place]] = *code;
            next[*place] += 1;
        }
        Self {
            tests,
            begins,
            codes,
        }
    }

    /// Iterates over the predicates and their codes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let bounds = self.begins.windows(2);
        let lists = bounds.map(|bounds| &self.codes[bounds[0]..bounds[1]]);
        self.tests.iter().copied().zip(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_with_their_test_in_their_order() {
        let lists = PostingLists::of(&[7, 8, 9], &[(2, 5), (0, 1), (2, 3)]);
        let found: Vec<(usize, &[u32])> = lists.iter().collect();
        assert_eq!(found, [(7, &[1][..]), (8, &[]), (9, &[5, 3])]);
    }
}
