//! Detects contradictions between predicates on one field or course with the results they should
//! have.

use super::bounds::{Bounds, Literal, StepLimit};
use super::{activities, dates, numbers, texts};
use crate::rules::Leaf;

/// Selects the predicates of one kind from literals.
macro_rules! bounds {
    ($literals:expr, $kind:ident) => {
        Bounds::new($literals, |leaf| match leaf {
            Leaf::$kind(_, test) => Some(test),
            _ => None,
        })
    };
}

/// Returns true if no learner can satisfy all literals. All predicates are about one field or one
/// course; `now` is the time of evaluation in milliseconds since 1970 UTC.
///
/// A missing value fails every positive predicate on a value, and so does a value of the wrong type
/// ("soon" for a date). Predicates that should not pass are therefore no contradiction on their
/// own.
pub(super) fn contradict(literals: &[Literal<'_>], now: i64, fuel: &mut StepLimit) -> bool {
    let (mut missing, mut present, mut value) = (false, false, None);
    for literal in literals {
        match (literal.leaf, literal.passes) {
            (Leaf::Missing(_), true) => missing = true,
            (Leaf::Missing(_), false) => present = true,
            (leaf, true) => value = Some(leaf),
            (_, false) => {}
        }
    }
    if missing && (present || value.is_some()) {
        return true;
    }
    match value {
        None | Some(Leaf::Missing(_)) => false,
        Some(Leaf::Text(..)) => texts::contradict(&bounds!(literals, Text), fuel),
        Some(Leaf::Number(..)) => numbers::contradict(&bounds!(literals, Number), fuel),
        Some(Leaf::Date(..)) => dates::contradict(&bounds!(literals, Date), now, fuel),
        Some(Leaf::Activity(..)) => activities::contradict(&bounds!(literals, Activity), fuel),
        Some(Leaf::Boolean(..)) => {
            let truths = bounds!(literals, Boolean);
            let both = truths.wanted.contains(&&true) && truths.wanted.contains(&&false);
            both || truths.contradicts(|wanted, refused| wanted == refused)
        }
    }
}
