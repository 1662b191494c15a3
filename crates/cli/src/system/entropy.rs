//! The system's randomness.

use ports::Entropy;

/// The operating system's generator, through the thread's.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bytes(&self) -> [u8; 16] {
        rand::random()
    }
}
