//! A sandbox runs once, whoever launches it how often, and whoever is killed meanwhile.

mod common;

use std::fs;

use common::{Env, noted, open, options, processes_with};
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ports::{OutputStream, SandboxEnd, SandboxError, SandboxSpec, SandboxStatus};
use sandbox::{Backend, Options};

#[expect(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]
fn kill_hard(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

on_both_backends! {
    async fn launches_at_the_same_time_start_one(env) {
        let (spec, dir) = (env.script("echo run >> runs"), env.dir());
        let launches = (0..8).map(|_| async { open(env.backend).await.launch(&dir, &spec).await.unwrap() });
        futures::future::join_all(launches).await;
        env.end().await;
        assert_eq!(fs::read_to_string(env.work().join("runs")).unwrap(), "run\n");
    }

    async fn a_launch_after_the_end_starts_nothing(env) {
        let spec = env.script("echo run >> runs");
        let first = env.run(&spec).await;
        assert_eq!(env.run(&spec).await, first);
        assert_eq!(fs::read_to_string(env.work().join("runs")).unwrap(), "run\n");
    }

    async fn a_launch_that_broke_off_before_the_shim_had_it_is_made_good_by_the_next(env) {
        let broken = Options { shim: vec!["/bin/false".into()], ..options() };
        let error = match sandbox::select(env.backend, broken).await {
            Err(SandboxError::Io { source, .. }) => source.to_string(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("a shim that does nothing was taken"),
        };
        assert!(error.contains("before it had the sandbox"), "{error}");
        fs::create_dir_all(env.dir()).unwrap();
        fs::write(env.dir().join("spec.json"), "{\"version\":1,").unwrap();
        assert_eq!(env.sandbox.status(&env.dir()).await.unwrap(), SandboxStatus::Absent);
        assert_eq!(env.run(&env.script("exit 4")).await.end, SandboxEnd::Exited { code: 4 });
    }

    async fn another_orchestrator_adopts_what_runs(env) {
        env.launch(&env.script("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done")).await;
        env.ready().await;
        let other = open(env.backend).await;
        let dir = env.dir();
        assert_eq!(other.status(&dir).await.unwrap(), SandboxStatus::Running);
        assert_eq!(other.read_log(&dir, OutputStream::Out, 2, 3).await.unwrap(), b"ady");
        let ready = "ready\n".len() as u64;
        let (more, ()) = tokio::join!(other.wait_output(&dir, ready), async { other.stop(&dir).await.unwrap() });
        more.unwrap();
        assert!(matches!(other.wait(&dir).await.unwrap(), SandboxStatus::Ended(_)));
        assert_eq!(other.read_log(&dir, OutputStream::Out, ready, 100).await.unwrap(), b"bye\n");
        assert_eq!(other.read_log(&dir, OutputStream::Out, 1000, 100).await.unwrap(), b"");
    }

    async fn a_killed_shim_takes_everything_with_it(env) {
        let marker = env.marker();
        env.launch(&env.script(&format!("setsid sleep {marker} & echo ready; sleep {marker}"))).await;
        env.ready().await;
        assert_eq!(env.sandbox.status(&env.dir()).await.unwrap(), SandboxStatus::Running);
        kill_hard(noted(&env.dir()).0);
        assert_eq!(env.sandbox.wait(&env.dir()).await.unwrap(), SandboxStatus::Vanished);
        assert_eq!(processes_with(&marker), Vec::<String>::new());
        env.launch(&env.script("echo again")).await;
        assert_eq!(env.sandbox.status(&env.dir()).await.unwrap(), SandboxStatus::Vanished);
        env.sandbox.wait_output(&env.dir(), 1000).await.unwrap();
        env.sandbox.stop(&env.dir()).await.unwrap();
        assert_eq!(env.log(OutputStream::Out).await, "ready\n");
    }

    async fn a_shim_that_is_killed_with_its_init_leaves_nothing_either(env) {
        let marker = env.marker();
        env.launch(&env.script(&format!("sleep {marker} & echo ready; sleep {marker}"))).await;
        env.ready().await;
        let (shim, others) = noted(&env.dir());
        kill_hard(shim);
        kill_hard(others[0]);
        assert_eq!(env.sandbox.wait(&env.dir()).await.unwrap(), SandboxStatus::Vanished);
        assert_eq!(processes_with(&marker), Vec::<String>::new());
    }

    async fn an_init_that_is_killed_ends_the_command_with_a_record(env) {
        let marker = env.marker();
        env.launch(&env.script(&format!("setsid sleep {marker} & echo ready; sleep {marker}"))).await;
        env.ready().await;
        let (_, others) = noted(&env.dir());
        kill_hard(others[0]);
        assert_eq!(env.end().await.end, SandboxEnd::Signaled { signal: 9, out_of_memory: false });
        assert_eq!(processes_with(&marker), Vec::<String>::new());
    }

    async fn a_shutdown_of_the_machine_loses_the_run_and_does_not_fail_it(env) {
        let marker = env.marker();
        env.launch(&env.script(&format!("setsid sleep {marker} & echo ready; sleep {marker}"))).await;
        env.ready().await;
        kill(Pid::from_raw(noted(&env.dir()).0), Signal::SIGTERM).unwrap();
        assert_eq!(env.sandbox.wait(&env.dir()).await.unwrap(), SandboxStatus::Vanished);
        assert_eq!(processes_with(&marker), Vec::<String>::new());
    }

    async fn a_running_sandbox_is_not_removed_and_an_ended_one_is(env) {
        env.launch(&env.script("echo ready; sleep 600")).await;
        env.ready().await;
        let refusal = env.sandbox.remove(&env.dir()).await.unwrap_err();
        assert!(refusal.to_string().contains("still runs"), "{refusal}");
        env.sandbox.stop(&env.dir()).await.unwrap();
        env.end().await;
        env.sandbox.remove(&env.dir()).await.unwrap();
        assert!(!env.dir().exists());
        assert_eq!(env.sandbox.status(&env.dir()).await.unwrap(), SandboxStatus::Absent);
        env.sandbox.remove(&env.dir()).await.unwrap();
    }

    async fn where_nothing_was_launched_there_is_nothing_to_wait_for(env) {
        assert_eq!(env.sandbox.status(&env.dir()).await.unwrap(), SandboxStatus::Absent);
        assert_eq!(env.sandbox.wait(&env.dir()).await.unwrap(), SandboxStatus::Absent);
        env.sandbox.wait_output(&env.dir(), 0).await.unwrap();
        env.sandbox.stop(&env.dir()).await.unwrap();
        assert_eq!(env.log(OutputStream::Out).await, "");
    }

    async fn a_name_that_could_be_a_path_is_refused_before_anything_is_made(env) {
        let spec = SandboxSpec { name: "../run".into(), ..env.script("true") };
        assert!(matches!(env.sandbox.launch(&env.dir(), &spec).await, Err(SandboxError::Invalid { .. })));
        assert!(!env.dir().exists());
    }

    async fn nothing_of_the_orchestrator_reaches_the_shim_or_the_command(env) {
        let secret = env.root.join("secret");
        fs::write(&secret, "x").unwrap();
        let leaked = fs::File::open(&secret).unwrap();
        fcntl(&leaked, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        let mut spec = env.script("env >&2; files=$(for file in /proc/self/fd/*; do readlink $file; done); echo \"$files\"; sleep 600");
        spec.env.insert("ONLY".into(), "this".into());
        env.launch(&spec).await;
        env.ready().await;
        let (shim, others) = noted(&env.dir());
        for pid in [vec![shim], others].concat() {
            let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
            let files: Vec<String> =
                files.filter_map(|it| Some(fs::read_link(it.ok()?.path()).ok()?.to_string_lossy().into_owned())).collect();
            assert!(!files.contains(&secret.to_string()), "{pid}: {files:?}");
        }
        assert_eq!(fs::read(format!("/proc/{shim}/environ")).unwrap(), b"");
        env.sandbox.stop(&env.dir()).await.unwrap();
        env.end().await;
        let files = env.log(OutputStream::Out).await;
        assert!(!files.contains("secret") && !files.contains(env.dir().as_str()), "{files}");
        // Plus what the shell itself sets.
        let mut variables: Vec<String> = env.log(OutputStream::Err).await.lines().map(str::to_owned).collect();
        variables.retain(|it| !it.starts_with("PWD="));
        variables.sort();
        assert_eq!(variables, ["ONLY=this", "PATH=/usr/bin:/bin"]);
    }
}

#[tokio::test]
async fn without_a_wall_a_mount_elsewhere_is_refused_by_name() {
    let env = Env::new(Backend::Process).await;
    let mut spec = env.script("true");
    spec.mounts[0].to = "/workspace".into();
    let refusal = env.sandbox.launch(&env.dir(), &spec).await.unwrap_err().to_string();
    assert!(refusal.contains(env.work().as_str()) && refusal.contains("/workspace"), "{refusal}");
}
