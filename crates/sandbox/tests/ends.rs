//! How commands end, and what is recorded of it.

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Env, LONG, SHORT, processes_with};
use ports::{OutputStream, SandboxEnd, SandboxLimits, SandboxSpec, StopReason};
use sandbox::Backend;

fn stopped(reason: StopReason) -> SandboxEnd {
    SandboxEnd::Stopped { reason }
}

fn limited(spec: SandboxSpec, change: impl FnOnce(&mut SandboxLimits)) -> SandboxSpec {
    let mut spec = spec;
    change(&mut spec.limits);
    spec
}

on_both_backends! {
    async fn an_exit_code_and_both_outputs_are_recorded(env) {
        let record = env.run(&env.script("echo out; echo err >&2; exit 7")).await;
        assert_eq!(record.end, SandboxEnd::Exited { code: 7 });
        assert_eq!((record.version, record.leftovers_killed, record.log_cut), (1, 0, false));
        assert!(record.started_at <= record.ended_at);
        assert_eq!(env.log(OutputStream::Out).await, "out\n");
        assert_eq!(env.log(OutputStream::Err).await, "err\n");
    }

    async fn a_signal_is_told_apart_from_an_exit_code(env) {
        let record = env.run(&env.script("kill -SEGV $$")).await;
        assert_eq!(record.end, SandboxEnd::Signaled { signal: 11, out_of_memory: false });
    }

    async fn an_exit_code_that_looks_like_a_signal_stays_an_exit_code(env) {
        let record = env.run(&env.script("exit 137")).await;
        assert_eq!(record.end, SandboxEnd::Exited { code: 137 });
    }

    async fn a_program_that_is_not_there_is_named(env) {
        let record = env.run(&env.spec(&["no-such-program"])).await;
        let SandboxEnd::LaunchFailed { message } = record.end else { panic!("{record:?}") };
        assert!(message.contains("no-such-program"), "{message}");
    }

    async fn a_working_directory_that_is_not_there_is_named(env) {
        let spec = SandboxSpec { cwd: "/no/such/place".into(), ..env.script("true") };
        let SandboxEnd::LaunchFailed { message } = env.run(&spec).await.end else { panic!() };
        assert!(message.contains("/no/such/place"), "{message}");
    }

    async fn silence_is_limited(env) {
        let record = env.run(&limited(env.spec(&["sleep", "600"]), |it| it.silence = Some(SHORT))).await;
        assert_eq!(record.end, stopped(StopReason::Silence));
    }

    async fn time_is_limited_however_much_is_said(env) {
        let talk = env.script("while :; do echo talk; done");
        let record = env.run(&limited(talk, |it| (it.time, it.silence) = (SHORT, Some(LONG)))).await;
        assert_eq!(record.end, stopped(StopReason::TimeLimit));
    }

    async fn a_command_that_stops_itself_is_ended_at_its_limit(env) {
        let record = env.run(&limited(env.script("kill -STOP $$"), |it| it.time = SHORT)).await;
        assert_eq!(record.end, stopped(StopReason::TimeLimit));
    }

    async fn a_command_that_is_asked_to_end_can_tidy_up(env) {
        env.launch(&env.script("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")).await;
        env.ready().await;
        env.sandbox.stop(&env.dir()).await.unwrap();
        assert_eq!(env.end().await.end, stopped(StopReason::Asked));
        assert_eq!(env.log(OutputStream::Out).await, "ready\nbye\n");
    }

    async fn a_command_that_ignores_the_question_is_killed_with_all_it_started(env) {
        let marker = env.marker();
        let text = format!("trap '' TERM; sleep {marker} & setsid sleep {marker} & echo ready; while :; do sleep 0.01; done");
        env.launch(&limited(env.script(&text), |it| it.stop_grace = SHORT)).await;
        env.ready().await;
        env.sandbox.stop(&env.dir()).await.unwrap();
        let record = env.end().await;
        assert_eq!(record.end, stopped(StopReason::Asked));
        assert!(record.leftovers_killed >= 2, "{record:?}");
        assert_eq!(processes_with(&marker), Vec::<String>::new());
    }

    async fn a_daemon_does_not_outlive_its_command_and_is_counted(env) {
        let marker = env.marker();
        let record = env.run(&env.script(&format!("(setsid sleep {marker} >/dev/null 2>&1 </dev/null &); exit 0"))).await;
        assert_eq!(record.end, SandboxEnd::Exited { code: 0 });
        assert_eq!(record.leftovers_killed, 1);
        assert_eq!(processes_with(&marker), Vec::<String>::new());
    }

    async fn a_daemon_that_holds_the_output_open_does_not_hold_up_the_end(env) {
        let marker = env.marker();
        let record = env.run(&env.script(&format!("sleep {marker} & echo said; exit 0"))).await;
        assert_eq!((record.end, record.leftovers_killed), (SandboxEnd::Exited { code: 0 }, 1));
        assert_eq!(env.log(OutputStream::Out).await, "said\n");
    }

    async fn a_daemon_that_keeps_changing_its_number_and_its_session_is_caught(env) {
        let hop = env.work().join("hop");
        std::fs::write(&hop, "#!/bin/sh\nsetsid \"$0\" </dev/null >/dev/null 2>&1 &\n").unwrap();
        std::fs::set_permissions(&hop, std::fs::Permissions::from_mode(0o755)).unwrap();
        let record = env.run(&env.script(&format!("{hop}; exit 0"))).await;
        assert_eq!(record.end, SandboxEnd::Exited { code: 0 });
        assert_eq!(processes_with(hop.as_str()), Vec::<String>::new());
    }

    async fn a_stop_that_was_asked_for_before_the_shim_could_hear_it_counts(env) {
        std::fs::create_dir_all(env.dir()).unwrap();
        std::fs::write(env.dir().join("stop"), "").unwrap();
        assert_eq!(env.run(&env.spec(&["sleep", "600"])).await.end, stopped(StopReason::Asked));
    }

    async fn output_past_the_limit_is_dropped_and_the_command_goes_on(env) {
        let spec = limited(env.script("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2"), |it| it.log_bytes = 1000);
        let record = env.run(&spec).await;
        assert_eq!((record.end, record.log_cut), (SandboxEnd::Exited { code: 0 }, true));
        let expected = "x".repeat(1000) + "\n[gatewright: log limit of 1000 bytes reached; the rest was dropped]\n";
        assert_eq!(env.log(OutputStream::Out).await, expected);
        assert_eq!(env.log(OutputStream::Err).await, "end\n");
    }

    async fn a_flood_of_output_does_not_grow_the_shim(env) {
        let flood = env.script("head -c 200000000 /dev/zero >&2; echo flooded; sleep 600");
        env.launch(&limited(flood, |it| it.log_bytes = 100_000)).await;
        env.ready().await;
        let (shim, _) = common::noted(&env.dir());
        let status = std::fs::read_to_string(format!("/proc/{shim}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        assert!(peak.unwrap() < 64 * 1024, "{status}");
        env.sandbox.stop(&env.dir()).await.unwrap();
        assert!(env.end().await.log_cut);
    }

    async fn standard_input_is_the_file_or_empty(env) {
        std::fs::write(env.root.join("brief"), "do this\n").unwrap();
        let spec = SandboxSpec { stdin: Some(env.root.join("brief")), ..env.spec(&["cat"]) };
        assert_eq!(env.output_of(&spec).await, "do this\n");
        env.sandbox.remove(&env.dir()).await.unwrap();
        assert_eq!(env.output_of(&env.spec(&["cat"])).await, "");
    }

    async fn standard_input_is_not_read_over_a_link_that_the_command_made(env) {
        std::os::unix::fs::symlink("/etc/passwd", env.work().join("brief")).unwrap();
        let spec = SandboxSpec { stdin: Some(env.work().join("brief")), ..env.spec(&["cat"]) };
        let record = env.run(&spec).await;
        assert!(matches!(record.end, SandboxEnd::LaunchFailed { .. }), "{record:?}");
        assert_eq!(env.log(OutputStream::Out).await, "");
    }
}
