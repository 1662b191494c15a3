//! A sandbox without walls: it runs the command for real, and remembers what it was asked for.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Output},
    sync::Mutex,
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use ports::{
    ExitRecord, OutputStream, Sandbox, SandboxEnd, SandboxError, SandboxSpec, SandboxStatus,
};

#[derive(Default)]
pub(crate) struct FakeSandbox {
    cells: Mutex<BTreeMap<Utf8PathBuf, Cell>>,
    launched: Mutex<Vec<SandboxSpec>>,
    /// How commands end, whatever they do.
    end: Mutex<Option<SandboxStatus>>,
}

struct Cell {
    status: SandboxStatus,
    /// What it becomes once somebody waits for it.
    then: SandboxStatus,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl FakeSandbox {
    /// From now on, commands run, but end like this.
    pub(crate) fn end_all(&self, status: SandboxStatus) {
        *self.end.lock().unwrap() = Some(status);
    }

    /// Puts a sandbox there that printed `out`, as an earlier try left it.
    pub(crate) fn leave(
        &self,
        dir: &Utf8Path,
        status: SandboxStatus,
        then: SandboxStatus,
        out: &str,
    ) {
        let cell = Cell { status, then, out: out.into(), err: Vec::new() };
        self.cells.lock().unwrap().insert(dir.to_owned(), cell);
    }

    /// Every specification that was launched.
    pub(crate) fn launched(&self) -> Vec<SandboxSpec> {
        self.launched.lock().unwrap().clone()
    }

    /// How many sandboxes there are.
    pub(crate) fn count(&self) -> usize {
        self.cells.lock().unwrap().len()
    }

    /// The status of one that ended like this.
    pub(crate) fn ended(end: SandboxEnd) -> SandboxStatus {
        SandboxStatus::Ended(ExitRecord {
            version: 1,
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: Timestamp::UNIX_EPOCH,
            end,
            leftovers_killed: 0,
            log_cut: false,
        })
    }
}

fn run(spec: &SandboxSpec) -> Output {
    let (program, arguments) = spec.argv.split_first().unwrap();
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&spec.env)
        .current_dir(&spec.cwd)
        .output()
        .unwrap()
}

#[async_trait]
impl Sandbox for FakeSandbox {
    fn backend(&self) -> &'static str {
        "fake"
    }

    async fn check(&self) -> Result<String, SandboxError> {
        Ok("0".to_owned())
    }

    async fn launch(&self, dir: &Utf8Path, spec: &SandboxSpec) -> Result<(), SandboxError> {
        if self.cells.lock().unwrap().contains_key(dir) {
            return Ok(());
        }
        self.launched.lock().unwrap().push(spec.clone());
        let spec = spec.clone();
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(move || run(&spec)).await.unwrap();
        let end = match status.code() {
            Some(code) => SandboxEnd::Exited { code },
            None => SandboxEnd::Signaled { signal: status.signal().unwrap(), out_of_memory: false },
        };
        let then = self.end.lock().unwrap().clone().unwrap_or_else(|| Self::ended(end));
        let cell = Cell { status: SandboxStatus::Running, then, out: stdout, err: stderr };
        self.cells.lock().unwrap().insert(dir.to_owned(), cell);
        Ok(())
    }

    async fn status(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        Ok(self
            .cells
            .lock()
            .unwrap()
            .get(dir)
            .map_or(SandboxStatus::Absent, |cell| cell.status.clone()))
    }

    async fn wait(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        let mut cells = self.cells.lock().unwrap();
        let cell = cells.get_mut(dir).unwrap();
        cell.status = cell.then.clone();
        Ok(cell.status.clone())
    }

    async fn read_log(
        &self,
        dir: &Utf8Path,
        stream: OutputStream,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, SandboxError> {
        let cells = self.cells.lock().unwrap();
        let cell = &cells[dir];
        let log = match stream {
            OutputStream::Out => &cell.out,
            OutputStream::Err => &cell.err,
        };
        Ok(log.iter().skip(usize::try_from(offset).unwrap()).take(max).copied().collect())
    }

    async fn wait_output(&self, _dir: &Utf8Path, _offset: u64) -> Result<(), SandboxError> {
        panic!("gates read logs at the end");
    }

    async fn stop(&self, _dir: &Utf8Path) -> Result<(), SandboxError> {
        panic!("the shim knows the time limit");
    }

    async fn remove(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        let mut cells = self.cells.lock().unwrap();
        if cells[dir].status == SandboxStatus::Running {
            return Err(SandboxError::Invalid { reason: "it runs".to_owned() });
        }
        cells.remove(dir);
        Ok(())
    }
}
