//! A place of its own for each test, and short ways to run something in it.

#![expect(dead_code, reason = "every test program compiles this file and uses some of it")]
#![expect(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use domain::definition::Network;
use ports::{ExitRecord, Mount, OutputStream, Sandbox, SandboxLimits, SandboxSpec, SandboxStatus};
use sandbox::{Backend, Options};

/// Long enough never to be the reason that a test ends well.
pub(crate) const LONG: Duration = Duration::from_mins(10);
/// Short enough not to be waited for.
pub(crate) const SHORT: Duration = Duration::from_millis(50);

pub(crate) struct Env {
    pub sandbox: Arc<dyn Sandbox>,
    pub backend: Backend,
    pub root: Utf8PathBuf,
    _keep: tempfile::TempDir,
}

pub(crate) fn options() -> Options {
    Options {
        shim: vec![env!("CARGO_BIN_EXE_sandbox-test-shim").to_owned(), "shim".to_owned()],
        bubblewrap: None,
    }
}

pub(crate) async fn open(backend: Backend) -> Arc<dyn Sandbox> {
    match sandbox::select(backend, options()).await {
        Ok((sandbox, _)) => sandbox,
        Err(error) => {
            panic!("{error}; these tests need it. Install bubblewrap: apt-get install bubblewrap")
        }
    }
}

impl Env {
    pub(crate) async fn new(backend: Backend) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(keep.path().canonicalize().unwrap()).unwrap();
        fs::create_dir(root.join("work")).unwrap();
        Self { sandbox: open(backend).await, backend, root, _keep: keep }
    }

    /// The sandbox's directory.
    pub(crate) fn dir(&self) -> Utf8PathBuf {
        self.root.join("runs/run-1")
    }

    /// The only place that is mounted.
    pub(crate) fn work(&self) -> Utf8PathBuf {
        self.root.join("work")
    }

    /// A shell script in the workspace, without limits that could matter.
    pub(crate) fn script(&self, text: &str) -> SandboxSpec {
        self.spec(&["sh", "-c", text])
    }

    pub(crate) fn spec(&self, argv: &[&str]) -> SandboxSpec {
        SandboxSpec {
            name: "run-1".into(),
            argv: argv.iter().map(|it| (*it).to_owned()).collect(),
            env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            cwd: self.work(),
            stdin: None,
            mounts: vec![Mount { from: self.work(), to: self.work(), writable: true }],
            network: Network::None,
            limits: SandboxLimits {
                time: LONG,
                silence: None,
                log_bytes: 1 << 20,
                stop_grace: LONG,
            },
        }
    }

    pub(crate) async fn launch(&self, spec: &SandboxSpec) {
        self.sandbox.launch(&self.dir(), spec).await.unwrap();
    }

    /// Waits for the end of what was launched.
    pub(crate) async fn end(&self) -> ExitRecord {
        match self.sandbox.wait(&self.dir()).await.unwrap() {
            SandboxStatus::Ended(record) => record,
            other => panic!(
                "{other:?}; the shim said: {:?}",
                fs::read_to_string(self.dir().join("shim.log"))
            ),
        }
    }

    pub(crate) async fn run(&self, spec: &SandboxSpec) -> ExitRecord {
        self.launch(spec).await;
        self.end().await
    }

    /// Runs it and returns what it wrote, both outputs one after the other.
    pub(crate) async fn output_of(&self, spec: &SandboxSpec) -> String {
        self.run(spec).await;
        self.log(OutputStream::Out).await + &self.log(OutputStream::Err).await
    }

    pub(crate) async fn log(&self, stream: OutputStream) -> String {
        let bytes = self.sandbox.read_log(&self.dir(), stream, 0, 1 << 20).await.unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has written something: a script says so when it is ready.
    pub(crate) async fn ready(&self) {
        self.sandbox.wait_output(&self.dir(), 0).await.unwrap();
    }

    /// A number of seconds to sleep that no other process on this machine sleeps.
    pub(crate) fn marker(&self) -> String {
        let mut digits = std::process::id().to_string();
        digits.extend(self.root.as_str().bytes().map(|byte| char::from(b'0' + byte % 10)));
        format!("1{digits}")
    }
}

/// The processes of this machine whose command line has `word` as one of its words.
pub(crate) fn processes_with(word: &str) -> Vec<String> {
    let lines = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|it| fs::read(it.ok()?.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.split('\0').any(|it| it == word)).collect()
}

/// Those whom the shim of the sandbox in `dir` noted: itself, and the processes between it and the command.
pub(crate) fn noted(dir: &Utf8Path) -> (i32, Vec<i32>) {
    let text = fs::read_to_string(dir.join("pid.json")).unwrap();
    let noted: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pid = |it: &serde_json::Value| i32::try_from(it["pid"].as_i64().unwrap()).unwrap();
    (pid(&noted["shim"]), noted["others"].as_array().unwrap().iter().map(pid).collect())
}

/// Tells each story once per backend.
#[macro_export]
macro_rules! on_both_backends {
    ($(async fn $name:ident($env:ident) $body:block)*) => {
        mod process {
            use super::*;
            $(#[tokio::test] async fn $name() { let $env = Env::new(Backend::Process).await; $body })*
        }
        mod bubblewrap {
            use super::*;
            $(#[tokio::test] async fn $name() { let $env = Env::new(Backend::Bubblewrap).await; $body })*
        }
    };
}
