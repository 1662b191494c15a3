//! Files of our own: briefs and what is copied into a sandbox.

use async_trait::async_trait;
use camino::Utf8Path;

/// Writes files that nobody but us can write.
#[async_trait]
pub trait Files: Send + Sync {
    /// Writes a file whole, atomically, readable by its owner only; its directories are made.
    async fn write(&self, path: &Utf8Path, content: &[u8]) -> std::io::Result<()>;
}
