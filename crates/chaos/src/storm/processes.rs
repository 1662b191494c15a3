//! Who is who among the processes of a storm.

use std::fs;

use camino::Utf8Path;

/// A process that a storm may kill.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    parent: u32,
    command: String,
    environment: String,
}

/// Every process that has something to do with a data directory: by its command line, by its environment, or as the child
/// of one of its supervisors: an init has neither.
pub(super) fn list(data_dir: &Utf8Path) -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let text = |pid: u32, name: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let all: Vec<Process> = pids
        .map(|pid| Process {
            pid,
            parent: parent(&text(pid, "stat")),
            command: text(pid, "cmdline"),
            environment: text(pid, "environ"),
        })
        .collect();
    let is_supervised = |process: &Process| {
        all.iter().any(|it| it.pid == process.parent && it.is_supervisor(data_dir))
    };
    all.iter().filter(|it| it.concerns(data_dir) || is_supervised(it)).cloned().collect()
}

/// The second field after the name, which may hold anything.
fn parent(stat: &str) -> u32 {
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}

impl Process {
    fn concerns(&self, data_dir: &Utf8Path) -> bool {
        self.command.contains(data_dir.as_str()) || self.environment.contains(data_dir.as_str())
    }

    /// The supervisor of a sandbox.
    pub(super) fn is_supervisor(&self, data_dir: &Utf8Path) -> bool {
        self.command.contains(&format!(" shim {data_dir}/"))
    }

    /// The init of a sandbox, or the program that makes the wall around it.
    pub(super) fn is_init(&self) -> bool {
        self.command.contains(" shim @")
    }

    /// The run whose agent this is, or a process of its agent.
    pub(super) fn run(&self) -> Option<&str> {
        self.variable("GATEWRIGHT_RUN")
    }

    /// The pipeline that it works for.
    pub(super) fn pipeline(&self) -> Option<&str> {
        self.variable("GATEWRIGHT_PIPELINE")
    }

    /// Whether it is the agent itself, and not a step of ours in its sandbox.
    pub(super) fn is_agent(&self) -> bool {
        self.run().is_some() && self.command.contains("echo start $GATEWRIGHT_ITEM")
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}=");
        self.environment.split(' ').find_map(|it| it.strip_prefix(&prefix))
    }
}
