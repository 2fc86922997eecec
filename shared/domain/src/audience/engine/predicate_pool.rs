//! The distinct predicates of all profiles; equal predicates share a number.

use std::hash::{BuildHasher as _, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::rules::{Leaf, NumberPredicate, TextPredicate};

/// Distinct predicates.
#[derive(Default)]
pub(super) struct PredicatePool<'a> {
    pub(super) leaves: Vec<&'a Leaf>,
    known: HashTable<(u32, u64)>,
    hasher: DefaultHashBuilder,
}

impl<'a> PredicatePool<'a> {
    /// Returns the number of a predicate; equal predicates have the same number.
    pub(super) fn place(&mut self, leaf: &'a Leaf) -> u32 {
        let mut state = self.hasher.build_hasher();
        hash(leaf, &mut state);
        let hash = state.finish();
        let leaves = &self.leaves;
        let found = self.known.find(hash, |(place, known)| {
            *known == hash && same(leaves[*place as usize], leaf)
        });
        if let Some((place, _)) = found {
            return *place;
        }
        let place = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        self.leaves.push(leaf);
        self.known
            .insert_unique(hash, (place, hash), |(_, hash)| *hash);
        place
    }
}

fn hash(leaf: &Leaf, state: &mut impl Hasher) {
    std::mem::discriminant(leaf).hash(state);
    match leaf {
        Leaf::Missing(source) => source.hash(state),
        Leaf::Text(source, test) => {
            source.hash(state);
            hash_text(test, state);
        }
        Leaf::Number(source, test) => {
            source.hash(state);
            let (kind, operands) = numbers(test);
            kind.hash(state);
            operands.for_each(|operand| operand.hash(state));
        }
        Leaf::Boolean(source, truth) => (source, truth).hash(state),
        Leaf::Date(source, test) => (source, test).hash(state),
        Leaf::Activity(course, test) => (course, test).hash(state),
    }
}

fn hash_text(test: &TextPredicate, state: &mut impl Hasher) {
    std::mem::discriminant(test).hash(state);
    match test {
        TextPredicate::Equals(text)
        | TextPredicate::Contains(text)
        | TextPredicate::BeginsWith(text)
        | TextPredicate::EndsWith(text) => text.hash(state),
        TextPredicate::In(texts) => texts.hash(state),
        TextPredicate::Matches(pattern) => pattern.as_str().hash(state),
    }
}

/// Converts a number predicate into a form that can be hashed and compared. Operands are never NaN;
/// `-0` and `0` may count as two predicates, which is harmless.
fn numbers(test: &NumberPredicate) -> (u8, impl Iterator<Item = u64>) {
    let (kind, operands): (u8, Vec<f64>) = match test {
        NumberPredicate::Equals(a) => (0, vec![*a]),
        NumberPredicate::Less(a) => (1, vec![*a]),
        NumberPredicate::AtMost(a) => (2, vec![*a]),
        NumberPredicate::Greater(a) => (3, vec![*a]),
        NumberPredicate::AtLeast(a) => (4, vec![*a]),
        NumberPredicate::Between(a, b) => (5, vec![*a, *b]),
        NumberPredicate::In(all) => (6, all.clone()),
    };
    (kind, operands.into_iter().map(f64::to_bits))
}

fn same(a: &Leaf, b: &Leaf) -> bool {
    match (a, b) {
        (Leaf::Missing(a), Leaf::Missing(b)) => a == b,
        (Leaf::Text(a, x), Leaf::Text(b, y)) => a == b && same_text(x, y),
        (Leaf::Number(a, x), Leaf::Number(b, y)) => {
            let ((x_kind, x), (y_kind, y)) = (numbers(x), numbers(y));
            a == b && x_kind == y_kind && x.eq(y)
        }
        (Leaf::Boolean(a, x), Leaf::Boolean(b, y)) => a == b && x == y,
        (Leaf::Date(a, x), Leaf::Date(b, y)) => a == b && x == y,
        (Leaf::Activity(a, x), Leaf::Activity(b, y)) => a == b && x == y,
        _ => false,
    }
}

fn same_text(a: &TextPredicate, b: &TextPredicate) -> bool {
    match (a, b) {
        (TextPredicate::Equals(a), TextPredicate::Equals(b))
        | (TextPredicate::Contains(a), TextPredicate::Contains(b))
        | (TextPredicate::BeginsWith(a), TextPredicate::BeginsWith(b))
        | (TextPredicate::EndsWith(a), TextPredicate::EndsWith(b)) => a == b,
        (TextPredicate::In(a), TextPredicate::In(b)) => a == b,
        (TextPredicate::Matches(a), TextPredicate::Matches(b)) => a.as_str() == b.as_str(),
        _ => false,
    }
}
