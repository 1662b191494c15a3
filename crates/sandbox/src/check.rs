//! Proves that a backend works here, by using it once.

use std::{collections::BTreeMap, time::Duration};

use camino::Utf8Path;
use domain::definition::Network;
use ports::{Sandbox, SandboxEnd, SandboxError, SandboxLimits, SandboxSpec, SandboxStatus};

use crate::{files, shimmed::Shimmed};

/// How long the proof may take.
const WITHIN: Duration = Duration::from_secs(20);

/// Runs `true` behind the wall, with everything closed. An error is what the machine said.
pub(crate) async fn run_once(sandbox: &Shimmed) -> Result<Result<(), String>, SandboxError> {
    let scratch =
        tempfile::Builder::new().prefix("gatewright-check-").tempdir().map_err(|source| {
            SandboxError::Io {
                operation: "make a directory for the check",
                dir: "/tmp".into(),
                source,
            }
        })?;
    let Some(dir) = Utf8Path::from_path(scratch.path()).map(|it| it.join("sandbox")) else {
        return Err(SandboxError::Invalid {
            reason: "the directory for temporary files has a name that is not UTF-8".into(),
        });
    };
    sandbox.launch(&dir, &proof()).await?;
    let SandboxStatus::Ended(record) = sandbox.wait(&dir).await? else {
        let said = std::fs::read_to_string(dir.join(files::SHIM_LOG)).unwrap_or_default();
        return Ok(Err(format!("its shim ended without a record; it said: {}", said.trim())));
    };
    Ok(match record.end {
        SandboxEnd::Exited { code: 0 } => Ok(()),
        SandboxEnd::LaunchFailed { message } => Err(message),
        other => Err(format!("`true` ended in it as {other:?}")),
    })
}

fn proof() -> SandboxSpec {
    SandboxSpec {
        name: "check".into(),
        argv: vec!["true".into()],
        env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: "/".into(),
        stdin: None,
        mounts: Vec::new(),
        network: Network::None,
        limits: SandboxLimits {
            time: WITHIN,
            silence: None,
            log_bytes: 64 * 1024,
            stop_grace: Duration::ZERO,
        },
    }
}
