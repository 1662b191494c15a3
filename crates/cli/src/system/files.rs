//! Files of our own.

use std::{fs::Permissions, io, os::unix::fs::PermissionsExt as _};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use ports::Files;
use tokio::fs;

/// The file system.
pub(crate) struct SystemFiles;

#[async_trait]
impl Files for SystemFiles {
    async fn write(&self, path: &Utf8Path, content: &[u8]) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await?;
        }
        let temporary = Utf8PathBuf::from(format!("{path}.new"));
        fs::write(&temporary, content).await?;
        fs::set_permissions(&temporary, Permissions::from_mode(0o600)).await?;
        fs::rename(&temporary, path).await
    }
}
