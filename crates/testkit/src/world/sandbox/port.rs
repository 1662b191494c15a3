//! The port, verb by verb.

use std::{pin::pin, sync::atomic::Ordering};

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
        self.place(dir, |place| place.status()).unwrap_or(SandboxStatus::Absent)
    }

    /// Waits until `holds`, which can only change when something happens in here or when its time has come.
    async fn until(&self, dir: &Utf8Path, holds: impl Fn() -> bool + Send) {
        self.followers.fetch_add(1, Ordering::Relaxed);
        let _following = Following(self);
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if holds() {
                return;
            }
            // Somebody may wait for this very waiting.
            self.calls.tell();
            let change = self.place(dir, |place| place.next_change()).flatten();
            tokio::select! {
                biased;
                () = changed => {}
                () = self.clock.sleep_until(change.unwrap_or(Timestamp::MAX)) => {}
            }
        }
    }
}

/// One who waits, until dropped.
struct Following<'a>(&'a FakeSandbox);

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Sandbox for FakeSandbox {
    fn backend(&self) -> &'static str {
        "fake"
    }

    async fn check(&self) -> Result<String, SandboxError> {
        let check = async {
            match self.model().unusable.clone() {
                None => Ok("1".to_owned()),
                Some(reason) => Err(SandboxError::Unavailable { backend: "fake", reason }),
            }
        };
        self.calls.make("sandbox.check", check).await
    }

    async fn launch(&self, dir: &Utf8Path, spec: &SandboxSpec) -> Result<(), SandboxError> {
        let launch = async {
            self.check_spec(spec)?;
            let now = self.clock.now();
            let mut model = self.model();
            if model.places.contains_key(dir) && !model.forgetful {
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
        let look = async {
            let forgetful = self.model().forgetful;
            Ok(if forgetful { SandboxStatus::Absent } else { self.look(dir) })
        };
        self.calls.make("sandbox.status", look).await
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
            let offset = usize::try_from(offset).expect("a small log");
            let part = |place: &mut Place| {
                place.log(stream).iter().skip(offset).take(max).copied().collect()
            };
            Ok(self.place(dir, part).unwrap_or_default())
        };
        self.calls.make("sandbox.read_log", read).await
    }

    async fn wait_output(&self, dir: &Utf8Path, offset: u64) -> Result<(), SandboxError> {
        let has_more = || {
            let length = self.place(dir, |place| place.log(OutputStream::Out).len() as u64);
            length.is_some_and(|length| length > offset)
        };
        let wait = async {
            self.until(dir, || has_more() || self.look(dir) != SandboxStatus::Running).await;
            Ok(())
        };
        self.calls.make("sandbox.wait_output", wait).await
    }

    async fn stop(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        let stop = async {
            let now = self.clock.now();
            if self.place(dir, |place| place.runs().then(|| place.stop(now))).flatten().is_some() {
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
