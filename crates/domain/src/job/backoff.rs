//! How long to wait before the next try.

use std::time::Duration;

use crate::limits::{BACKOFF_BASE, BACKOFF_MAX};

/// Exponential backoff with full jitter: a random part of `min(base * 2^failures, max)`, but never less than
/// `retry_after`, which is capped at `max` itself.
///
/// `jitter` is in `[0, 1)`. Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
#[must_use]
pub fn backoff(failures: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(16));
    let ceiling = BACKOFF_BASE.saturating_mul(factor).min(BACKOFF_MAX);
    let floor = retry_after.unwrap_or_default().min(BACKOFF_MAX);
    ceiling.mul_f64(jitter.clamp(0.0, 1.0)).max(floor)
}
