//! Medians and percentiles.

use std::time::Duration;

/// Figures of the same thing, measured again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Takes a time in milliseconds.
    pub(crate) fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1_000.0);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    pub(crate) fn median(&self) -> f64 {
        self.at(1, 2)
    }

    /// The 99th percentile, where there are enough samples for one to mean something.
    pub(crate) fn p99(&self) -> Option<f64> {
        (self.0.len() >= 100).then(|| self.at(99, 100))
    }

    fn at(&self, numerator: usize, denominator: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() * numerator / denominator).copied().unwrap_or(f64::NAN)
    }
}

/// How many a second.
pub(crate) fn rate(count: u32, time: Duration) -> f64 {
    f64::from(count) / time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_99th_percentile_needs_a_hundred() {
        let mut samples = Samples(vec![3.0, 1.0, 2.0]);
        assert_eq!((samples.median().to_bits(), samples.p99()), (2.0_f64.to_bits(), None));
        samples.append(&Samples(vec![0.0; 97]));
        assert_eq!(samples.p99(), Some(3.0));
    }
}
