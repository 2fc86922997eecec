//! Finds the value that a misspelt text was probably meant to be.

use crate::snapshot::Dictionary;

/// The values of a field, and a sketch of each to pass over most of them quickly.
pub(super) struct Closest<'a> {
    folded: &'a Dictionary,
    sketches: Vec<u32>,
}

impl<'a> Closest<'a> {
    /// Prepares the folded values of a field.
    pub(super) fn of(folded: &'a Dictionary) -> Self {
        Self {
            sketches: folded.iter().map(sketch).collect(),
            folded,
        }
    }

    /// The code of the value with the fewest slips between it and a folded text,
    /// of several the one most people have; `counts` says how many have each
    /// code. None when too much would have to be changed.
    pub(super) fn find(&self, text: &str, counts: &[u32]) -> Option<u32> {
        let wanted: Vec<char> = text.chars().collect();
        let limit = match wanted.len() {
            0..=2 => return None,
            3..=5 => 1,
            _ => 2,
        };
        let mine = sketch(text);
        let values = (1u32..).zip(self.folded.iter()).zip(&self.sketches);
        values
            .filter(|(_, sketch)| (**sketch ^ mine).count_ones() as usize <= 2 * limit)
            .filter_map(|((code, value), _)| {
                let count = *counts.get(code as usize).filter(|count| **count > 0)?;
                let slips = slips(&wanted, &value.chars().collect::<Vec<_>>(), limit)?;
                Some((slips, std::cmp::Reverse(count), code))
            })
            .min()
            .map(|(_, _, code)| code)
    }
}

/// Which characters occur, a bit for each (some share one). A slip changes two
/// bits at most.
fn sketch(text: &str) -> u32 {
    text.chars()
        .fold(0, |bits, char| bits | 1 << (u32::from(char) % 32))
}

/// How many characters were left out, added, mistaken or swapped with their
/// neighbour; `None` when more than `limit`.
fn slips(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // Rows of the usual table: the one before the last, the last, the present one.
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, right) in b.iter().enumerate() {
            let mistaken = last[j] + usize::from(left != right);
            let mut fewest = mistaken.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                fewest = fewest.min(before[j - 1] + 1);
            }
            row[j + 1] = fewest;
        }
        if row.iter().min().is_none_or(|least| *least > limit) {
            return None;
        }
        (before, last) = (last, row);
    }
    last.last().copied().filter(|slips| *slips <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::TextColumn;
    use proptest::prelude::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn found(text: &str, values: &[&str]) -> Option<String> {
        let column = TextColumn::build(values.iter().map(|value| Some(*value)));
        let code = Closest::of(column.folded()).find(text, &column.counts());
        column.dictionary().get(code?).map(str::to_owned)
    }

    #[test]
    fn slips_of_the_finger_are_counted() {
        for (a, b, expected) in [
            ("denver", "denver", Some(0)),
            ("dever", "denver", Some(1)),
            ("denevr", "denver", Some(1)),
            ("dnevre", "denver", Some(2)),
            ("oslo", "denver", None),
            ("zürich", "zurich", Some(1)),
        ] {
            assert_eq!(slips(&chars(a), &chars(b), 2), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_closest_value_is_found_and_of_several_the_most_frequent() {
        assert_eq!(
            found("dever", &["Oslo", "Denver"]).as_deref(),
            Some("Denver")
        );
        let several = ["Dallas A", "Dallas B", "Dallas B"];
        assert_eq!(found("dallas c", &several).as_deref(), Some("Dallas B"));
        assert_eq!(found("ny", &["NJ"]), None);
        assert_eq!(found("bern", &["Rome"]), None);
    }

    proptest! {
        #[test]
        fn the_sketch_never_hides_a_close_value(a in "[a-dä]{3,8}", b in "[a-dä]{3,8}") {
            if let Some(slips) = slips(&chars(&a), &chars(&b), 2) {
                prop_assert!((sketch(&a) ^ sketch(&b)).count_ones() as usize <= 2 * slips);
            }
        }
    }
}
