//! What goes between the orchestrator and the shim on disk.

use camino::Utf8PathBuf;
use ports::SandboxSpec;
use serde::{Deserialize, Serialize};

use crate::procfs::ProcessId;

/// What is around the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Wall {
    /// Nothing but a clean environment, a session of its own and limits.
    None,
    /// Namespaces made by bubblewrap.
    Bubblewrap {
        /// The `bwrap` program.
        program: Utf8PathBuf,
    },
}

/// What the shim is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// Version of this record: 1.
    pub(crate) version: u32,
    /// What is around the command.
    pub(crate) wall: Wall,
    /// How the shim's program is started, without its last argument.
    pub(crate) shim: Vec<String>,
    /// The command and what it may see.
    pub(crate) spec: SandboxSpec,
}

/// Who runs, for the one who has to signal them or to clean up after a shim that was killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Running {
    /// The start of the machine that the numbers belong to.
    pub(crate) boot: String,
    /// The shim.
    pub(crate) shim: ProcessId,
    /// The processes between it and the command, and the command where its number is known outside.
    pub(crate) others: Vec<ProcessId>,
    /// The command's session, where its number is known outside.
    pub(crate) session: Option<i32>,
}
