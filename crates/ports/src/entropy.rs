//! Randomness.

/// The only source of randomness: ids and jitter are made of it.
pub trait Entropy: Send + Sync {
    /// Sixteen random bytes, of cryptographic quality in production.
    fn bytes(&self) -> [u8; 16];
}
