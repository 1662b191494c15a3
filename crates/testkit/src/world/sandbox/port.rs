//! The port, verb by verb.

use async_trait::async_trait;
use camino::Utf8Path;
use jiff::Timestamp;
use ports::{Clock as _, OutputStream, Sandbox, SandboxError, SandboxSpec, SandboxStatus};

use super::{FakeSandbox, Place};

impl FakeSandbox {
    fn check_spec(&self, spec: &SandboxSpec) -> Result<(), SandboxError> {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let reason = if spec.name.is_empty() || !spec.name.bytes().all(is_name_byte) {
            format!("`{}` is no name", spec.name)
        } else if spec.argv.is_empty() {
            "nothing to run".to_owned()
        } else if !self.git.has_workspace(&spec.cwd) {
            format!("{} is no workspace", spec.cwd)
        } else {
            return Ok(());
        };
        Err(SandboxError::Invalid { reason })
    }

    fn look(&self, dir: &Utf8Path) -> SandboxStatus {
        let now = self.clock.now();
        let mut model = self.model();
        model.places.get_mut(dir).map_or(SandboxStatus::Absent, |place| place.look(now))
    }

    /// Waits until `holds`, which can only change when something happens in here or a limit is reached.
    async fn until(&self, dir: &Utf8Path, holds: impl Fn() -> bool + Send) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            if holds() {
                return;
            }
            // Somebody may wait for this very waiting.
            self.calls.tell();
            let limit = self.model().places.get(dir).and_then(Place::next_limit);
            let at = limit.map_or(Timestamp::MAX, |(at, _)| at);
            tokio::select! {
                change = changed.changed() => change.expect("the world lives as long as this call"),
                () = self.clock.sleep_until(at) => {}
            }
        }
    }
}

#[async_trait]
impl Sandbox for FakeSandbox {
    fn backend(&self) -> &'static str {
        "fake"
    }

    async fn check(&self) -> Result<String, SandboxError> {
        Ok("1".to_owned())
    }

    async fn launch(&self, dir: &Utf8Path, spec: &SandboxSpec) -> Result<(), SandboxError> {
        let launch = async {
            self.check_spec(spec)?;
            let now = self.clock.now();
            let mut model = self.model();
            if model.places.contains_key(dir) {
                return Ok(());
            }
            model.places.insert(dir.to_owned(), Place::new(spec.clone(), now));
            drop(model);
            self.begin(dir, spec);
            self.tell();
            Ok(())
        };
        self.calls.make("sandbox.launch", launch).await
    }

    async fn status(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        self.calls.make("sandbox.status", async { Ok(self.look(dir)) }).await
    }

    async fn wait(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        let wait = async {
            self.until(dir, || self.look(dir) != SandboxStatus::Running).await;
            Ok(self.look(dir))
        };
        self.calls.make("sandbox.wait", wait).await
    }

    async fn read_log(
        &self,
        dir: &Utf8Path,
        stream: OutputStream,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, SandboxError> {
        let read = async {
            let model = self.model();
            let log = model.places.get(dir).map_or(&[][..], |place| place.log(stream));
            let offset = usize::try_from(offset).expect("a small log");
            Ok(log.iter().skip(offset).take(max).copied().collect())
        };
        self.calls.make("sandbox.read_log", read).await
    }

    async fn wait_output(&self, dir: &Utf8Path, offset: u64) -> Result<(), SandboxError> {
        let has_more = || {
            let model = self.model();
            let log = model.places.get(dir).map(|place| place.log(OutputStream::Out).len() as u64);
            log.is_some_and(|length| length > offset)
        };
        let wait = async {
            self.until(dir, || has_more() || self.look(dir) != SandboxStatus::Running).await;
            Ok(())
        };
        self.calls.make("sandbox.wait_output", wait).await
    }

    async fn stop(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        let stop = async {
            if self.look(dir) == SandboxStatus::Running {
                let now = self.clock.now();
                self.model().places.get_mut(dir).expect("it runs").stop(now);
                self.tell();
            }
            Ok(())
        };
        self.calls.make("sandbox.stop", stop).await
    }

    async fn remove(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        let remove = async {
            if self.look(dir) == SandboxStatus::Running {
                return Err(SandboxError::Invalid { reason: format!("{dir} runs") });
            }
            self.model().places.remove(dir);
            Ok(())
        };
        self.calls.make("sandbox.remove", remove).await
    }
}
