//! Finds the value that a misspelt text was probably meant to be.

use std::cmp::Reverse;

use crate::snapshot::Dictionary;

/// The values of a field, each with a sketch that excludes most of them quickly.
pub(super) struct Closest<'a> {
    folded: &'a Dictionary,
    sketches: Vec<u32>,
}

impl<'a> Closest<'a> {
    /// Computes the sketches of a field's folded values.
    pub(super) fn of(folded: &'a Dictionary) -> Self {
        Self {
            sketches: folded.iter().map(sketch).collect(),
            folded,
        }
    }

    /// Returns the code of the value with the smallest edit distance to a folded text; on a tie,
    /// the most frequent value. `counts` is the number of learners for each code. Returns `None` if
    /// all values are too different.
    pub(super) fn find(&self, text: &str, counts: &[u32]) -> Option<u32> {
        let wanted: Vec<char> = text.chars().collect();
        let mut limit = match wanted.len() {
            0..=2 => return None,
            3..=5 => 1,
            _ => 2,
        };
        let mine = sketch(text);
        let values = (1u32..).zip(self.folded.iter()).zip(&self.sketches);
        let (mut value, mut table) = (Vec::new(), Table::default());
        let mut best = None;
        for ((code, text), sketch) in values {
            let count = counts.get(code as usize).copied().unwrap_or(0);
            if count == 0 || (*sketch ^ mine).count_ones() as usize > 2 * limit {
                continue;
            }
            value.clear();
            value.extend(text.chars());
            if let Some(slips) = table.slips(&wanted, &value, limit) {
                // Values at a greater distance than the best so far need not be measured.
                limit = slips;
                best = best.max(Some((Reverse(slips), count, Reverse(code))));
            }
        }
        best.map(|(_, _, Reverse(code))| code)
    }
}

/// Returns a bit set of the characters that occur (some share a bit). One edit changes at most two
/// bits.
fn sketch(text: &str) -> u32 {
    text.chars()
        .fold(0, |bits, char| bits | 1 << (u32::from(char) % 32))
}

/// Three rows of the edit distance table: the one before the last, the last and the current one.
#[derive(Default)]
struct Table {
    before: Vec<usize>,
    last: Vec<usize>,
    row: Vec<usize>,
}

impl Table {
    /// Returns the number of characters that are missing, added, replaced or swapped with their
    /// neighbour; `None` if it exceeds `limit`.
    fn slips(&mut self, a: &[char], b: &[char], limit: usize) -> Option<usize> {
        if a.len().abs_diff(b.len()) > limit {
            return None;
        }
        // Addresses of one company differ in few places, so only the differing part is compared.
        let (a, b) = without_common_ends(a, b);
        let Self { before, last, row } = self;
        last.clear();
        last.extend(0..=b.len());
        before.clone_from(last);
        for (i, left) in a.iter().enumerate() {
            row.clear();
            row.push(i + 1);
            for (j, right) in b.iter().enumerate() {
                let mistaken = last[j] + usize::from(left != right);
                let mut fewest = mistaken.min(last[j + 1] + 1).min(row[j] + 1);
                if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                    fewest = fewest.min(before[j - 1] + 1);
                }
                row.push(fewest);
            }
            if row.iter().min().is_none_or(|least| *least > limit) {
                return None;
            }
            std::mem::swap(before, last);
            std::mem::swap(last, row);
        }
        last.last().copied().filter(|slips| *slips <= limit)
    }
}

/// Removes the common prefix and suffix of two texts.
fn without_common_ends<'t>(mut a: &'t [char], mut b: &'t [char]) -> (&'t [char], &'t [char]) {
    while let ([first, rest @ ..], [other, others @ ..]) = (a, b)
        && first == other
    {
        (a, b) = (rest, others);
    }
    while let ([rest @ .., last], [others @ .., other]) = (a, b)
        && last == other
    {
        (a, b) = (rest, others);
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::TextColumn;
    use proptest::prelude::*;

    fn slips(a: &[char], b: &[char], limit: usize) -> Option<usize> {
        Table::default().slips(a, b, limit)
    }

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

    /// Checks by trying all edits whether two texts are at most `limit` edits apart.
    fn within(a: &[char], b: &[char], limit: usize) -> bool {
        match (a, b) {
            (rest, []) | ([], rest) => rest.len() <= limit,
            ([x, a @ ..], [y, b @ ..]) if x == y => within(a, b, limit),
            _ if limit == 0 => false,
            ([x, y, a @ ..], [y2, x2, b @ ..]) if x == x2 && y == y2 => {
                within(a, b, limit - 1) || tried(&[*x, *y], &[*y2, *x2], a, b, limit)
            }
            ([x, a @ ..], [y, b @ ..]) => tried(&[*x], &[*y], a, b, limit),
        }
    }

    fn tried(x: &[char], y: &[char], a: &[char], b: &[char], limit: usize) -> bool {
        let (a, b) = ([x, a].concat(), [y, b].concat());
        within(&a[1..], &b, limit - 1)
            || within(&a, &b[1..], limit - 1)
            || within(&a[1..], &b[1..], limit - 1)
    }

    proptest! {
        #[test]
        fn the_table_finds_what_trying_finds(a in "[ab]{0,7}", b in "[ab]{0,7}") {
            let (a, b) = (chars(&a), chars(&b));
            let tried = (0..=2).find(|limit| within(&a, &b, *limit));
            prop_assert_eq!(slips(&a, &b, 2), tried);
        }

        #[test]
        fn the_sketch_never_hides_a_close_value(a in "[a-dä]{3,8}", b in "[a-dä]{3,8}") {
            if let Some(slips) = slips(&chars(&a), &chars(&b), 2) {
                prop_assert!((sketch(&a) ^ sketch(&b)).count_ones() as usize <= 2 * slips);
            }
        }
    }
}
