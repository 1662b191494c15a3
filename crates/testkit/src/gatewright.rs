//! The built binary in a world of its own: home, data directory, configuration, and nothing of the caller's environment.

mod bell;
mod running;

use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

pub use bell::{Bell, Rings};
use camino::{Utf8Path, Utf8PathBuf};
pub use running::{Finished, Running};
use tempfile::TempDir;

/// A binary, and a directory with everything that it reads and writes. What it left running is killed with it.
pub struct Gatewright {
    _dir: TempDir,
    root: Utf8PathBuf,
    program: Utf8PathBuf,
}

impl Gatewright {
    /// `program` is `env!("CARGO_BIN_EXE_gatewright")`.
    ///
    /// # Panics
    /// Where the file system refuses.
    #[must_use]
    pub fn new(program: &str) -> Self {
        Self::below(program, &std::env::temp_dir())
    }

    /// The same in a directory below `parent`.
    ///
    /// # Panics
    /// As [`Gatewright::new`].
    #[must_use]
    pub fn below(program: &str, parent: &Path) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("gatewright-test-")
            .tempdir_in(parent)
            .expect("a temporary directory");
        let root = dir.path().canonicalize().expect("a new directory has a real path");
        let root = Utf8PathBuf::from_path_buf(root).expect("a UTF-8 temporary directory");
        let gatewright = Self { _dir: dir, root, program: program.into() };
        for place in [gatewright.home(), gatewright.bells(), gatewright.root.join("tmp")] {
            fs::create_dir(&place).expect("a new directory can be filled");
        }
        gatewright
    }

    /// From now on the binary is another file: an upgrade.
    pub fn upgrade(&mut self, program: &str) {
        self.program = program.into();
    }

    /// The home directory of whoever calls it.
    #[must_use]
    pub fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// The data directory. It does not exist before the first call that needs it.
    #[must_use]
    pub fn data_dir(&self) -> Utf8PathBuf {
        self.root.join("data")
    }

    fn bells(&self) -> Utf8PathBuf {
        self.root.join("bells")
    }

    /// Writes the user's configuration, which holds wherever a repository has none of its own.
    pub fn configure(&self, text: &str) {
        let file = self.home().join(".config/gatewright/gatewright.toml");
        let dir = file.parent().expect("a file is in a directory");
        fs::create_dir_all(dir)
            .and_then(|()| fs::write(&file, text))
            .unwrap_or_else(|error| panic!("could not write {file}: {error}"));
    }

    /// Configures a `command` agent for every role: a shell script, which finds its brief on standard input. Bells can
    /// be heard in its sandbox.
    pub fn configure_agent(&self, script: &str) {
        self.configure_agent_with(script, "", "");
    }

    /// The same with more: `agent` goes into `[agents.it]` and may go on with tables, `top` goes above all tables.
    pub fn configure_agent_with(&self, script: &str, agent: &str, top: &str) {
        let [script, bells] =
            [script, self.bells().as_str()].map(|it| toml::Value::from(it).to_string());
        self.configure(&format!(
            "agent = \"it\"\nkey = \"IT\"\nsandbox.read = [{bells}]\ngates.tests.run = \"tests/run.sh\"\n{top}\n\
             [agents.it]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", {script}]\n{agent}\n"
        ));
    }

    /// A bell that agents ring, or wait for.
    ///
    /// # Panics
    /// Where there is one of that name.
    #[must_use]
    pub fn bell(&self, name: &str) -> Bell {
        Bell::new(self.bells().join(name))
    }

    /// A call in `dir`, with a search path, a home and a plain locale around it, and with empty input.
    #[must_use]
    pub fn command(&self, dir: &Utf8Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        self.surround(&mut command, dir);
        command
    }

    /// The same call as [`Gatewright::command`], by a shell script that prepares the ground and then does `exec "$@"`,
    /// as root of a user and mount namespace of its own: what it mounts, nobody else sees.
    #[must_use]
    pub fn command_in_namespace(
        &self,
        dir: &Utf8Path,
        script: &str,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "--", "/bin/sh", "-c", script, "sh"]);
        command.arg(&self.program).args(arguments);
        self.surround(&mut command, dir);
        command
    }

    /// A shell script in `dir`, with the same around it as around [`Gatewright::command`].
    #[must_use]
    pub fn shell(&self, dir: &Utf8Path, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        self.surround(&mut command, dir);
        command
    }

    fn surround(&self, command: &mut Command, dir: &Utf8Path) {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").env("USER", "tester");
        command.env("HOME", self.home()).env("TMPDIR", self.root.join("tmp"));
        command.env("GATEWRIGHT_DATA_DIR", self.data_dir());
        command.current_dir(dir).stdin(Stdio::null());
    }

    /// Calls it in `dir` and waits for its end.
    ///
    /// # Panics
    /// As [`Running::finish`].
    pub fn run(&self, dir: &Utf8Path, arguments: &[&str]) -> Finished {
        self.start(dir, arguments).finish()
    }

    /// Calls it in `dir`.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn start(&self, dir: &Utf8Path, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(dir, arguments))
    }

    /// What runs in its sandboxes now, by command line: agents, and commands of gates and of its own.
    ///
    /// # Panics
    /// Without `/proc`.
    #[must_use]
    pub fn sandboxed(&self) -> Vec<String> {
        let home = format!("HOME={}/", self.data_dir());
        let inside = |process: &&Process| {
            process.environment.split(|byte| *byte == 0).any(|it| it.starts_with(home.as_bytes()))
        };
        processes().iter().filter(inside).map(|it| it.command.clone()).collect()
    }

    /// The runs whose agents are at work in its sandboxes, each once.
    ///
    /// # Panics
    /// Without `/proc`.
    #[must_use]
    pub fn runs_at_work(&self) -> BTreeSet<String> {
        let home = format!("HOME={}/", self.data_dir());
        let run = |process: &Process| {
            let text = String::from_utf8_lossy(&process.environment);
            let mut variables = text.split('\0');
            if !variables.clone().any(|it| it.starts_with(&home)) {
                return None;
            }
            variables.find_map(|it| it.strip_prefix("GATEWRIGHT_RUN=")).map(str::to_owned)
        };
        processes().iter().filter_map(run).collect()
    }

    /// Kills every process that has to do with it, all at once: the machine is switched off.
    pub fn kill_everything(&self) {
        let root = self.root.as_str();
        let mentions = |process: &&Process| {
            process.command.contains(root)
                || String::from_utf8_lossy(&process.environment).contains(root)
        };
        for process in processes().iter().filter(mentions) {
            if process.id != std::process::id() {
                // It may have ended meanwhile.
                drop(kill("KILL", &process.id.to_string()));
            }
        }
    }

    /// Waits until all of its sandboxes have ended, which they do without it.
    ///
    /// # Panics
    /// When they do not.
    pub fn wait_for_sandboxes(&self) {
        let shim = |process: &&Process| {
            process.command.contains(" shim ") && process.command.contains(self.root.as_str())
        };
        for process in processes().iter().filter(shim) {
            let mut wait = Command::new("timeout");
            wait.args(["100", "tail", "-s", "0.02", "-f", "/dev/null"]);
            let status = wait.arg(format!("--pid={}", process.id)).status().expect("coreutils");
            assert!(status.success(), "`{}` does not end", process.command);
        }
    }
}

impl Drop for Gatewright {
    fn drop(&mut self) {
        self.kill_everything();
    }
}

struct Process {
    id: u32,
    command: String,
    environment: Vec<u8>,
}

/// All processes that can be seen, without those that end while we look.
fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc");
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let read = |id: u32| -> Option<Process> {
        let command = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        Some(Process {
            id,
            command,
            environment: fs::read(format!("/proc/{id}/environ")).unwrap_or_default(),
        })
    };
    ids.filter_map(read).collect()
}

/// Sends a signal to a process, or to a group: `-123`.
fn kill(signal: &str, target: &str) -> io::Result<()> {
    let status =
        Command::new("kill").args(["-s", signal, "--", target]).stderr(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("`kill -s {signal} -- {target}`: {status}")))
    }
}
