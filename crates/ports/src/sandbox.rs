//! Where agents and gate commands run.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::definition::Network;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::is_full_disk;

/// A place of the host that is to be seen inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where it is on the host.
    pub from: Utf8PathBuf,
    /// Where it is inside; the backend `process` can only give the same place.
    pub to: Utf8PathBuf,
    /// Whether it can be written.
    pub writable: bool,
}

/// Limits that the shim enforces, even when nobody else is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxLimits {
    /// From launch to the end.
    pub time: Duration,
    /// Longest time without a byte of output; `None` does not limit.
    pub silence: Option<Duration>,
    /// Bytes of each log; past them a marker is written and output is read and thrown away.
    pub log_bytes: u64,
    /// Between SIGTERM and SIGKILL.
    pub stop_grace: Duration,
}

/// What to run, and what it may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxSpec {
    /// `^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$`; checked before anything else.
    pub name: String,
    /// The program, an absolute path or a name looked up in the `PATH` of `env`, and its arguments.
    pub argv: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: Utf8PathBuf,
    /// A file that is its standard input; empty input where absent.
    pub stdin: Option<Utf8PathBuf>,
    /// Places that it sees beyond the read-only system.
    pub mounts: Vec<Mount>,
    /// What it can reach.
    pub network: Network,
    /// When it is stopped.
    pub limits: SandboxLimits,
}

/// Who had it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Somebody called [`Sandbox::stop`].
    Asked,
    /// [`SandboxLimits::time`].
    TimeLimit,
    /// [`SandboxLimits::silence`].
    Silence,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SandboxEnd {
    /// By itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// By a signal that we did not send.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// The kernel ended it for want of memory.
        out_of_memory: bool,
    },
    /// By us.
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// It never ran.
    LaunchFailed {
        /// What the system said.
        message: String,
    },
}

/// Written once by the shim, atomically, when everything inside has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitRecord {
    /// Version of this record: 1.
    pub version: u32,
    /// When it was launched.
    pub started_at: Timestamp,
    /// When its last process had ended.
    pub ended_at: Timestamp,
    /// How.
    pub end: SandboxEnd,
    /// Processes that it left behind and that were killed.
    pub leftovers_killed: u32,
    /// A log reached its limit.
    pub log_cut: bool,
}

/// What is known of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxStatus {
    /// Nothing was ever launched there.
    Absent,
    /// Its shim is alive.
    Running,
    /// Its exit record is there.
    Ended(ExitRecord),
    /// Its shim died without a record; nothing of it runs any more.
    Vanished,
}

/// One of its two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Why a backend did not do it.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The isolation that was asked for cannot be had here.
    #[error("the sandbox backend `{backend}` cannot be used: {reason}")]
    Unavailable {
        /// The backend.
        backend: &'static str,
        /// What is missing, and what mends it.
        reason: String,
    },
    /// The specification makes no sense.
    #[error("invalid sandbox specification: {reason}")]
    Invalid {
        /// What is wrong with which value.
        reason: String,
    },
    /// A newer version started it. It is left alone: nothing of it is read, stopped or removed.
    #[error(
        "the sandbox in {dir} was started by a newer version (protocol {found}, this one knows {known}): go on with that version"
    )]
    Newer {
        /// The sandbox's directory.
        dir: Utf8PathBuf,
        /// The version of its shim's protocol.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// The file system or the kernel refused.
    #[error("could not {operation} for sandbox in {dir}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The sandbox's directory.
        dir: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl SandboxError {
    /// Whether the system said that a disk is full.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_full_disk(source),
            Self::Unavailable { .. } | Self::Invalid { .. } | Self::Newer { .. } => false,
        }
    }
}

/// A backend. A sandbox is known by its directory, which the caller chooses and which outlives both.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// The backend's name: `process`, `bubblewrap`.
    fn backend(&self) -> &'static str;

    /// Proves that the backend works here, by using it once. Returns its version.
    async fn check(&self) -> Result<String, SandboxError>;

    /// Starts `spec` under a shim that keeps its files in `dir`. Idempotent: where `dir` already holds a
    /// sandbox, running or ended, nothing is started. Returns once the shim runs or has failed to.
    async fn launch(&self, dir: &Utf8Path, spec: &SandboxSpec) -> Result<(), SandboxError>;

    /// What is known of the sandbox in `dir` now.
    async fn status(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError>;

    /// Waits until it has ended or vanished.
    async fn wait(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError>;

    /// Up to `max` bytes of a log from `offset`; empty where there are none yet. Never waits.
    async fn read_log(
        &self,
        dir: &Utf8Path,
        stream: OutputStream,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, SandboxError>;

    /// Waits until the standard output log is longer than `offset`, or the sandbox has ended or vanished.
    async fn wait_output(&self, dir: &Utf8Path, offset: u64) -> Result<(), SandboxError>;

    /// Asks it to end: SIGTERM, the grace of its limits, SIGKILL to everything in it. Returns at once; [`Self::wait`] tells when.
    async fn stop(&self, dir: &Utf8Path) -> Result<(), SandboxError>;

    /// Removes its files. Refuses while it runs.
    async fn remove(&self, dir: &Utf8Path) -> Result<(), SandboxError>;
}
