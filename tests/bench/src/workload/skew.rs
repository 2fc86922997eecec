//! Random draws with the skew of real data: few values are frequent, most are rare.

use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand_chacha::ChaCha8Rng;

/// Draws numbers `0..count`, the nth with weight `1 / (n + 1) ^ exponent` (Zipf).
#[derive(Debug, Clone)]
pub(super) struct Skewed(WeightedIndex<f64>);

impl Skewed {
    /// # Panics
    /// If the count is zero.
    pub(super) fn new(count: usize, exponent: f64) -> Self {
        Self(WeightedIndex::new(weights(count, exponent)).expect("a positive count"))
    }

    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        self.0.sample(rng)
    }
}

/// Returns the weights in descending order.
pub(super) fn weights(count: usize, exponent: f64) -> Vec<f64> {
    (1..=u32::try_from(count).unwrap_or(u32::MAX))
        .map(|rank| f64::from(rank).powf(-exponent))
        .collect()
}
