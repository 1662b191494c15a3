//! Shims of other versions: what an older one left is read, what a newer one started is left alone.

mod common;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use common::{Env, noted, processes_with};
use ports::{OutputStream, SandboxEnd, SandboxError, SandboxStatus};
use sandbox::Backend;

/// Puts the recorded directory of a sandbox into the place of the one of `env`.
#[expect(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]
fn restore(recorded: &str, env: &Env) -> Utf8PathBuf {
    let from = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(recorded);
    fs::create_dir_all(env.dir()).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), env.dir().join(entry.file_name())).unwrap();
    }
    env.dir()
}

on_both_backends! {
    async fn what_version_1_left_is_read(env) {
        let dir = restore("protocol-1/ended", &env);
        let SandboxStatus::Ended(record) = env.sandbox.status(&dir).await.unwrap() else { panic!("it has ended") };
        assert_eq!((record.version, record.end), (1, SandboxEnd::Exited { code: 0 }));
        assert!(env.log(OutputStream::Out).await.starts_with("{\"type\":\"started\""));
        env.launch(&env.script("echo again")).await;
        assert!(!env.log(OutputStream::Out).await.contains("again"));
        env.sandbox.stop(&dir).await.unwrap();
        env.sandbox.remove(&dir).await.unwrap();
        assert!(!dir.exists());
    }

    async fn what_version_1_left_half_done_has_vanished(env) {
        let dir = restore("protocol-1/ended", &env);
        fs::remove_file(dir.join("exit.json")).unwrap();
        assert_eq!(env.sandbox.status(&dir).await.unwrap(), SandboxStatus::Vanished);
    }

    async fn what_a_newer_version_started_is_refused_and_left_alone(env) {
        let marker = env.marker();
        env.launch(&env.script(&format!("echo ready; sleep {marker}"))).await;
        env.ready().await;
        let dir = env.dir();
        let ours = fs::read(dir.join("started")).unwrap();
        fs::write(dir.join("started"), "99").unwrap();
        let refusals = [
            env.sandbox.status(&dir).await.map(drop),
            env.sandbox.wait(&dir).await.map(drop),
            env.sandbox.wait_output(&dir, 0).await,
            env.sandbox.stop(&dir).await,
            env.sandbox.remove(&dir).await,
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert!(matches!(error, SandboxError::Newer { found: 99, known: 1, .. }), "{error:?}");
            assert!(error.to_string().contains(dir.as_str()), "{error}");
        }
        // Launching it again is nobody's wish either: whoever asks finds it at work.
        env.launch(&env.script("echo again")).await;
        // A wall has the command's words in its own command line as well.
        assert_ne!(processes_with(&marker), Vec::<String>::new());
        fs::write(dir.join("started"), ours).unwrap();
        env.sandbox.stop(&dir).await.unwrap();
        assert!(matches!(env.sandbox.wait(&dir).await.unwrap(), SandboxStatus::Ended(_)));
        assert_eq!(env.log(OutputStream::Out).await, "ready\n");
    }

    async fn numbers_of_processes_from_before_a_reboot_are_nobodys(env) {
        env.launch(&env.script("echo ready; sleep 600")).await;
        env.ready().await;
        let dir = env.dir();
        let mut other = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let (shim, _) = noted(&dir);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(shim), nix::sys::signal::Signal::SIGKILL).unwrap();
        assert_eq!(env.sandbox.wait(&dir).await.unwrap(), SandboxStatus::Vanished);
        // The same number and the same start, of another start of the machine.
        let columns = fs::read_to_string(format!("/proc/{}/stat", other.id())).unwrap();
        let start = columns.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap();
        let id = format!("{{\"pid\":{},\"start\":{start}}}", other.id());
        fs::write(dir.join("pid.json"), format!("{{\"boot\":\"an earlier one\",\"shim\":{id},\"others\":[{id}],\"session\":null}}")).unwrap();
        assert_eq!(env.sandbox.status(&dir).await.unwrap(), SandboxStatus::Vanished);
        assert!(!dir.join("pid.json").exists());
        assert_eq!(other.try_wait().unwrap(), None, "a stranger was killed");
        // Its number was given to somebody else since: the start tells them apart.
        let id = format!("{{\"pid\":{},\"start\":1}}", other.id());
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::write(dir.join("pid.json"), format!("{{\"boot\":\"{}\",\"shim\":{id},\"others\":[{id}],\"session\":null}}", boot.trim())).unwrap();
        assert_eq!(env.sandbox.status(&dir).await.unwrap(), SandboxStatus::Vanished);
        assert_eq!(other.try_wait().unwrap(), None, "a namesake was killed");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
