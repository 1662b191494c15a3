//! What agents print, however much and of whatever kind.

use testkit::gatewright::Running;

use crate::world::{Told, World, gatewright};

/// Bytes of one log, as documented.
const LOG_BYTES_MAX: u64 = 200 * 1024 * 1024;

fn size_of_logs(world: &World) -> Vec<u64> {
    let runs = world.gatewright.data_dir().join("runs");
    let logs =
        runs.read_dir_utf8().unwrap().map(|run| run.unwrap().path().join("agent/stdout.log"));
    logs.map(|log| log.metadata().unwrap().len()).collect()
}

/// The gate asks for a look at the orchestrator when it has read everything and is still at work.
#[test]
fn a_flood_of_output_is_capped_on_disk_and_never_in_memory() {
    let world = World::of_agent(
        "yes \"$(printf 'x%.0s' $(seq 1000))\" | head -c 215000000; echo new > new.txt",
    );
    let (judging, go_on) = (world.gatewright.bell("judging"), world.gatewright.bell("go-on"));
    let check =
        format!("echo judging > {}; read now < {}; tests/run.sh", judging.path(), go_on.path());
    let running: Running = world
        .gatewright
        .start(world.dir(), &["run", "Add a file", "--merge", "--json", "--check", &check]);
    let judging = judging.listen();
    assert_eq!(judging.next(), "judging");
    let peak_kib = running.peak_memory_kib();
    go_on.ring();
    // The merge candidate is judged as well, by the same command.
    assert_eq!(judging.next(), "judging");
    go_on.ring();
    let told = Told::of(&running.finish());
    world.assert_merged(&told);
    let sizes = size_of_logs(&world);
    assert!(
        sizes.len() == 1 && sizes[0] > LOG_BYTES_MAX && sizes[0] < LOG_BYTES_MAX + 1000,
        "{sizes:?}"
    );
    assert!(peak_kib < 200 * 1024, "{peak_kib} KiB");
}

#[test]
fn invalid_utf_8_and_a_line_of_10_mb_are_survived_and_kept() {
    let world = World::of_agent(
        "printf 'caf\\351 \\377\\376\\n'; head -c 11000000 /dev/zero | tr '\\0' x; echo
         printf '\\033]0;title\\007\\033[2J\\n{\"type\": 3}\\n{\"type\":\"text\"'
         echo new > new.txt",
    );
    let told = world.deliver();
    world.assert_merged(&told);
    assert!(size_of_logs(&world)[0] > 11_000_000);
}

#[test]
fn what_an_agent_prints_of_its_secrets_stays_in_its_own_log() {
    let secret = "sk-made-up-3f9a1c";
    let script = "env; echo \"key: $MODEL_KEY\" >&2; if [ -e ~/tried ]; then echo new > new.txt; else touch ~/tried; echo \"refused: $MODEL_KEY\"; exit 1; fi";
    let world = World::of_agent_with(script, &format!("[agents.it.env]\nMODEL_KEY = \"{secret}\""));
    let told = world.deliver();
    world.assert_merged(&told);
    assert!(
        !told.stderr.contains(secret) && !told.result.to_string().contains(secret),
        "{told:#?}"
    );
    assert!(!world.briefs().concat().contains(secret));
    let events = world.call(&["events", "IT-001", "--json"]);
    assert_eq!(events.code(), Some(0), "{events:#?}");
    assert!(
        events.stdout.contains("job_retried") && !events.stdout.contains(secret),
        "{}",
        events.stdout
    );
}

/// The log on disk is for its owner; what is shown is copied into tickets.
#[test]
fn a_secret_that_an_agent_prints_is_in_no_log_that_is_shown() {
    let world = World::of_agent_with(
        "echo \"key $IT_KEY\"; echo \"{\\\"type\\\":\\\"text\\\",\\\"text\\\":\\\"pw $OTHER\\\"}\"; echo new > new.txt",
        "env_from = [\"IT_KEY\"]\nenv = { OTHER = \"open-sesame\" }",
    );
    let call = |arguments: &[&str]| {
        let mut command = world.gatewright.command(world.dir(), arguments);
        Running::start(command.env("IT_KEY", "hunter2-hunter2")).finish()
    };
    let told = Told::of(&call(&["run", "Add a file", "--merge", "--json"]));
    world.assert_merged(&told);
    for more in [&[][..], &["--raw"], &["--json"], &["--raw", "--json"], &["--follow"], &["--all"]]
    {
        let shown = call(&[&["logs", "IT-001"], more].concat());
        let all = format!("{}{}", shown.stdout, shown.stderr);
        assert!(!all.contains("hunter2") && !all.contains("sesame"), "{more:?}: {all}");
        assert!(all.contains("key $IT_KEY") && all.contains("pw $OTHER"), "{more:?}: {all}");
    }
    let elsewhere = world.call(&["logs", "IT-001"]);
    assert!(elsewhere.stderr.contains("the secret IT_KEY is not set here"), "{elsewhere:#?}");
}

/// A program reads what was printed as long as the exit code says that it is whole.
#[test]
fn what_cannot_be_printed_whole_is_no_success() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let (place, home) = (world.gatewright.home().join("small"), world.gatewright.home());
    std::fs::create_dir(&place).unwrap();
    let full = format!(
        "mount -t tmpfs -o size=4k none {place} && head -c 4096 /dev/zero > {place}/all && exec \"$@\" > {place}/out"
    );
    let limited = format!(
        "head -c 100000 /dev/zero > {home}/out && exec prlimit --fsize=100000 -- \"$@\" >> {home}/out"
    );
    let call = |script: &str, arguments: &[&str]| {
        let mut command = world.gatewright.command_in_namespace(world.dir(), script, arguments);
        Running::start(&mut command).finish()
    };
    for arguments in [
        &["export", "IT-001"][..],
        &["events", "--json"],
        &["pipeline", "list", "--json"],
        &["pipeline", "show", "IT-001"],
        &["definition", "schema"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let finished = call(&full, arguments);
        assert_eq!(finished.code(), Some(1), "{arguments:?}: {finished:#?}");
        assert_eq!(
            finished.stderr.matches("could not write to standard output: No space left").count(),
            1,
            "{arguments:?}: {finished:#?}"
        );
        assert!(finished.stderr.contains("free some space"), "{arguments:?}: {finished:#?}");
    }
    let finished = call(&limited, &["export", "IT-001"]);
    assert_eq!(finished.code(), Some(1), "{finished:#?}");
    assert!(finished.stderr.contains("`ulimit -f` shows"), "{finished:#?}");
}

/// Whoever has read enough has not met an error.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (gatewright, program) = (gatewright(), env!("CARGO_BIN_EXE_gatewright"));
    // A pipe whose only reader is gone before anything is written.
    let script = format!(
        "mkfifo gone; exec 3<>gone 4>gone 3<&-; {program} completions bash >&4; echo $? >&2"
    );
    let mut command = gatewright.shell(&gatewright.home(), &script);
    let finished = Running::start(&mut command).finish();
    assert_eq!(finished.stderr, "0\n", "{finished:#?}");
}

/// What an agent writes into a file is its work, which the people's repository holds; what we say of it goes further.
#[test]
fn a_secret_that_an_agent_writes_into_a_file_is_repeated_by_no_gate() {
    let mut world =
        World::of_agent_with("echo \"key = $IT_KEY\" > new.txt", "env_from = [\"IT_KEY\"]");
    world.define(
        "read",
        "[[stage.gates]]\nname = \"reads\"\nkind = \"command\"\nrun = \"cat new.txt; false\"",
    );
    let call = |arguments: &[&str]| {
        let mut command = world.gatewright.command(world.dir(), arguments);
        Running::start(command.env("IT_KEY", "hunter2-hunter2")).finish()
    };
    let told = call(&["run", "Add a file", "--merge", "--json", "--pipeline", "read"]);
    for shown in [
        told,
        call(&["decisions", "list", "--json"]),
        call(&["pipeline", "show", "IT-001", "--why"]),
        call(&["events", "IT-001", "--json"]),
        call(&["export", "IT-001"]),
    ] {
        let all = format!("{}{}", shown.stdout, shown.stderr);
        assert!(!all.contains("hunter2"), "{all}");
    }
    let exported = call(&["export", "IT-001"]).stdout;
    assert!(exported.contains("key = $IT_KEY"), "{exported}");
}

/// What a command printed is what people look for; its first line only says that something comes.
#[test]
fn why_a_gate_failed_is_told_with_what_its_command_printed() {
    let world = World::of_agent("echo new >> new.txt");
    let told = world.deliver_with(&["--check", "echo begun; echo it-leaks; exit 1"]);
    told.assert_blocked("Its output ends so: begun it-leaks");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("Its output ends so: begun it-leaks"), "{why}");
    let shown = world.call(&["pipeline", "show", "IT-001"]).stdout;
    let (_, verdicts) = shown.split_once("verdicts").expect("a gate has answered");
    assert!(verdicts.contains("ends so: begun it-leaks"), "{shown}");
}
