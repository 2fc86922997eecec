//! Detects contradictions between predicates on one date, now or at any later time.

use super::bounds::{Bounds, StepLimit};
use crate::rules::DatePredicate;
use crate::rules::evaluate::{DAY_MS, date_holds};

/// Distance from a bound, in milliseconds, within which other results may begin. Bounds are strict
/// or not; two of them are at most this far apart where a gap between them opens.
const NEAR: i64 = 3;

/// Returns true if no date satisfies the predicates from `now` on. Results change only at bounds,
/// and bounds relative to the time of evaluation meet fixed ones only at certain times. It is
/// therefore sufficient to try these bounds at these times.
pub(super) fn contradict(
    tests: &Bounds<'_, DatePredicate>,
    now: i64,
    fuel: &mut StepLimit,
) -> bool {
    let all = || tests.wanted.iter().chain(&tests.refused);
    let fixed = distinct(all().flat_map(|test| fixed(test)).collect());
    let counted = distinct(all().flat_map(|test| counted(test)).collect());
    let times = times(now, &fixed, &counted);
    let bounds = 3 * (fixed.len() + counted.len());
    if !fuel.consume(times.len().saturating_mul(bounds * tests.len())) {
        return false;
    }
    !times.into_iter().any(|time| {
        let counted = counted.iter().map(|days| time.saturating_add(*days));
        let bounds = fixed.iter().copied().chain(counted);
        let mut moments = bounds.flat_map(|bound| around(bound, 1));
        moments.any(|moment| tests.are_satisfied(|test| date_holds(test, moment, time)))
    })
}

/// Returns the times of evaluation that represent all times from now on.
fn times(now: i64, fixed: &[i64], counted: &[i64]) -> Vec<i64> {
    let meet = |fixed: &i64| {
        let counted = counted.iter();
        let times: Vec<i64> = counted.map(|days| fixed.saturating_sub(*days)).collect();
        times
    };
    let times = fixed
        .iter()
        .flat_map(meet)
        .flat_map(|time| around(time, NEAR));
    distinct(times.filter(|time| *time > now).chain([now]).collect())
}

fn around(bound: i64, near: i64) -> impl Iterator<Item = i64> {
    (-near..=near).map(move |step| bound.saturating_add(step))
}

fn distinct(mut values: Vec<i64>) -> Vec<i64> {
    values.sort_unstable();
    values.dedup();
    values
}

/// Returns the bounds that do not depend on the time of evaluation.
fn fixed(test: &DatePredicate) -> Vec<i64> {
    match test {
        DatePredicate::Before(instant) | DatePredicate::After(instant) => vec![*instant],
        DatePredicate::Within(start, end) => vec![*start, *end],
        DatePredicate::InLast(_) | DatePredicate::InNext(_) | DatePredicate::MoreThanAgo(_) => {
            Vec::new()
        }
    }
}

/// Returns the bounds relative to the time of evaluation, in milliseconds after it.
fn counted(test: &DatePredicate) -> Vec<i64> {
    match test {
        DatePredicate::InLast(days) => vec![-i64::from(*days) * DAY_MS, 0],
        DatePredicate::InNext(days) => vec![0, i64::from(*days) * DAY_MS],
        DatePredicate::MoreThanAgo(days) => vec![-i64::from(*days) * DAY_MS],
        DatePredicate::Before(_) | DatePredicate::After(_) | DatePredicate::Within(..) => {
            Vec::new()
        }
    }
}
