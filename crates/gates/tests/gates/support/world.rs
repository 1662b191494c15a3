//! The builder of questions.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    definition::{Check, Gate, Network},
    name::{GateName, ProjectKey},
    verdict::Verdict,
};
use gates::{Judge, Options};
use ports::{GateAnswer, GateError, GateQuestion, Gates, Mount, ProjectRef};

use super::{
    clock::FakeClock,
    git::{FakeGit, base, head},
    machine::FakeMachine,
    sandbox::FakeSandbox,
};

pub(crate) struct World {
    pub(crate) git: FakeGit,
    pub(crate) sandbox: Arc<FakeSandbox>,
    pub(crate) machine: Arc<FakeMachine>,
    dir: tempfile::TempDir,
}

/// A world in which the commit under judgement has these files, and its base has none.
pub(crate) fn world(files: &[(&str, &str)]) -> World {
    let mut git = FakeGit::default();
    for (path, content) in files {
        git.write(&head(), path, content.as_bytes());
    }
    World {
        git,
        sandbox: Arc::default(),
        machine: Arc::default(),
        dir: tempfile::tempdir().unwrap(),
    }
}

impl World {
    /// The same with a file of these bytes.
    pub(crate) fn with_bytes(mut self, path: &str, content: &[u8]) -> Self {
        self.git.write(&head(), path, content);
        self
    }

    /// The same with something at `path` that is not a regular file.
    pub(crate) fn with_link(mut self, path: &str) -> Self {
        self.git.link(&head(), path);
        self
    }

    /// The same with a file that the base has, and maybe the commit too.
    pub(crate) fn with_base(mut self, path: &str, content: &str) -> Self {
        self.git.write(&base(), path, content.as_bytes());
        self
    }

    pub(crate) fn scratch(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).unwrap().join("gates/tests-1")
    }

    /// What the evidence holds, byte for byte.
    pub(crate) fn evidence(&self) -> Vec<u8> {
        std::fs::read(self.evidence_path()).unwrap()
    }

    pub(crate) fn evidence_path(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).unwrap().join("evidence/tests.log")
    }

    /// The answer, whatever it is.
    pub(crate) async fn ask(&self, check: Check) -> Result<GateAnswer, GateError> {
        let judge = Judge::new(Options {
            git: Arc::new(self.git.clone()),
            sandbox: self.sandbox.clone(),
            clock: Arc::new(FakeClock::default()),
            machine: self.machine.clone(),
            path: "/usr/local/bin:/usr/bin:/bin".to_owned(),
            env: BTreeMap::from([("LANG".to_owned(), "C.UTF-8".to_owned())]),
            mounts: vec![Mount {
                from: "/opt/tools".into(),
                to: "/opt/tools".into(),
                writable: true,
            }],
            network: Network::None,
        });
        let question = GateQuestion {
            project: ProjectRef {
                key: ProjectKey::new("ET").unwrap(),
                repository: "/people/et".to_owned(),
            },
            gate: Gate { name: GateName::new("tests").unwrap(), check, on_fail: None },
            item: "ET-001".to_owned(),
            commit: head(),
            base: base(),
            scratch: self.scratch(),
            evidence: self.evidence_path(),
        };
        judge.judge(&question).await
    }

    /// The verdict, where there is one.
    pub(crate) async fn judge(&self, check: Check) -> Verdict {
        match self.ask(check).await.unwrap() {
            GateAnswer::Verdict(verdict) => verdict,
            GateAnswer::Ask { questions } => panic!("asked: {questions}"),
        }
    }

    /// The verdict of a command that must delete no `tests/**`.
    pub(crate) async fn run(&self, run: &str) -> Verdict {
        self.judge(command(run)).await
    }

    /// What keeps a command's gate from answering.
    pub(crate) async fn run_in_vain(&self, run: &str) -> String {
        self.ask(command(run)).await.unwrap_err().to_string()
    }
}

fn command(run: &str) -> Check {
    Check::Command {
        run: run.to_owned(),
        time_limit: Duration::from_mins(10),
        keep: vec!["tests/**".to_owned()],
    }
}
