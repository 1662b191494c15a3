//! The built binary: size, start, memory, and the demo from beginning to end.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use testkit::repository::Repository;

use crate::{
    agent_start::IDLE, effort::Effort, place::Place, product_binary::ProductBinary,
    samples::Samples, table::Table, workshop::search_path,
};

/// How long the agent may take to come up.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// How long the process is left alone before its memory is looked at.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// An agent that says that it is there, and waits.
const SLEEPER: &str = "[agents.sleeper]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"echo ready; exec sleep 600\"]\n";

/// Measures all of it.
pub(crate) fn measure(
    place: &Place,
    product: &ProductBinary,
    effort: &Effort,
    table: &mut Table,
) -> Result<()> {
    let home = place.dir("home")?;
    let product = Product { path: &product.path, home: &home };
    table.group("The binary");
    let mut size = Samples::default();
    size.push(mebibytes(fs::metadata(product.path)?.len()));
    table.add("size", &size, "MiB", "target: below 40");
    let version = product.times(&["--version"], effort.starts)?;
    table.add("start: --version", &version, "ms", "spawn to exit");
    let data_dir = place.dir("memory")?;
    let [resident, highest] = product.memory_while_waiting(&data_dir)?;
    let list = ["--data-dir", data_dir.as_str(), "pipeline", "list"];
    let list = product.times(&list, effort.starts)?;
    let beside = "spawn to exit; target: below 100";
    table.add("start: pipeline list, one pipeline", &list, "ms", beside);
    table.add("memory of run while its agent waits", &resident, "MiB", "VmRSS; target: below 40");
    table.add("the most that it ever had", &highest, "MiB", "VmHWM");
    table.group("The whole");
    let demo = product.times(&["demo", "--json"], effort.demos)?;
    table.add("demo, from start to exit", &demo, "ms", "target: below 60,000");
    table.note("cold CI", "`time .ci/run` in a fresh clone; measured apart");
    Ok(())
}

/// The binary, in an environment of its own.
struct Product<'a> {
    path: &'a Utf8Path,
    home: &'a Utf8Path,
}

impl Product<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(self.path);
        command
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", self.home)
            .env("TMPDIR", self.home);
        command
            .current_dir(self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// How long a call takes from its start to its end.
    fn times(&self, arguments: &[&str], count: usize) -> Result<Samples> {
        let mut samples = Samples::default();
        for _ in 0..count {
            thread::sleep(IDLE);
            let start = Instant::now();
            let output = self.command().args(arguments).output()?;
            samples.push_time(start.elapsed());
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.success(),
                "gatewright {arguments:?} ended with {}: {said}",
                output.status
            );
        }
        Ok(samples)
    }

    /// What the process has, and the most that it had, while an agent of it waits.
    fn memory_while_waiting(&self, data_dir: &Utf8Path) -> Result<[Samples; 2]> {
        let repository = Repository::greet();
        let config = self.home.join("gatewright.toml");
        fs::write(&config, SLEEPER)?;
        let mut command = self.command();
        command.args(["--config", config.as_str(), "--data-dir", data_dir.as_str()]);
        command.args(["run", "Wait for me", "--agent", "sleeper", "--check", "true"]);
        command.args(["--repo", repository.path().as_str()]);
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let memory = wait_ready(&mut child, data_dir).and_then(|()| {
            thread::sleep(SETTLED_AFTER);
            memory(child.id())
        });
        // As a person would end it, with the agent and all.
        let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
        ensure!(interrupted.success(), "could not stop gatewright");
        child.wait()?;
        memory
    }
}

/// Waits until the agent has said something.
fn wait_ready(child: &mut Child, data_dir: &Utf8Path) -> Result<()> {
    let until = Instant::now() + READY_WITHIN;
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            bail!("gatewright run ended with {status} before its agent was there");
        }
        if agent_logs(data_dir).iter().any(|log| fs::metadata(log).is_ok_and(|log| log.len() > 0)) {
            return Ok(());
        }
        thread::sleep(IDLE);
    }
    bail!("the agent of gatewright run did not come up")
}

/// The logs that agents may have by now.
fn agent_logs(data_dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(runs) = data_dir.join("runs").read_dir_utf8() else { return Vec::new() };
    runs.filter_map(|run| Some(run.ok()?.path().join("agent/stdout.log"))).collect()
}

/// Resident memory of a process, now and at its highest.
pub(crate) fn memory(pid: u32) -> Result<[Samples; 2]> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 =
            line.trim_start_matches(':').split_whitespace().next()?.parse().ok()?;
        let mut samples = Samples::default();
        samples.push(mebibytes(kibibytes * 1024));
        Some(samples)
    };
    let (now, highest) = (field("VmRSS"), field("VmHWM"));
    Ok([now.context("no VmRSS")?, highest.context("no VmHWM")?])
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
