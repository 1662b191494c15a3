//! Programs that the player starts, as an agent would: in its workspace, with its own environment.

use std::{
    collections::BTreeMap,
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use camino::Utf8Path;

/// How a command ended.
pub(super) struct Ended {
    /// Its exit code; none if a signal ended it.
    pub(super) code: Option<i32>,
    /// Bytes of its output.
    pub(super) size: u64,
    /// The last line of its output.
    pub(super) last_line: String,
}

/// Where and with what.
pub(super) struct Place<'a> {
    pub(super) workspace: &'a Utf8Path,
    pub(super) vars: &'a BTreeMap<String, String>,
}

impl Place<'_> {
    fn command(&self, argv: &[String]) -> Command {
        let (program, arguments) =
            argv.split_first().expect("a scenario with an empty command is not valid");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.vars)
            .current_dir(self.workspace)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, argv: &[String]) -> io::Result<Ended> {
        let output = self.command(argv).output()?;
        let text = String::from_utf8_lossy(if output.stdout.is_empty() {
            &output.stderr
        } else {
            &output.stdout
        });
        let last_line = crate::words::last_line(&text).unwrap_or_default().to_owned();
        Ok(Ended {
            code: output.status.code(),
            size: (output.stdout.len() + output.stderr.len()) as u64,
            last_line,
        })
    }

    /// Commits everything; does nothing where there is nothing.
    pub(super) fn commit(&self, message: &str) -> Result<(), String> {
        let git = |arguments: &[&str]| {
            let argv: Vec<_> = ["git"].iter().chain(arguments).map(|&it| it.to_owned()).collect();
            self.run(&argv).map_err(|e| format!("git could not be run: {e}"))
        };
        let staged = git(&["add", "--all"])?;
        if staged.code != Some(0) {
            return Err(format!("git add failed: {}", staged.last_line));
        }
        if git(&["diff", "--cached", "--quiet"])?.code == Some(0) {
            return Ok(());
        }
        let committed = git(&["commit", "--quiet", "--message", message])?;
        if committed.code == Some(0) {
            Ok(())
        } else {
            Err(format!("git commit failed: {}", committed.last_line))
        }
    }

    /// Starts a program that outlives us.
    pub(super) fn daemon(&self, argv: &[String], holds_output: bool) -> io::Result<()> {
        let output = || if holds_output { Stdio::inherit() } else { Stdio::null() };
        self.command(argv).stdout(output()).stderr(output()).process_group(0).spawn().map(drop)
    }

    /// Becomes another program; comes back only if that is not possible.
    pub(super) fn exec(&self, argv: &[String]) -> io::Error {
        self.command(argv).exec()
    }
}
