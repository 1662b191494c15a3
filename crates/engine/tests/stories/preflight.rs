//! What cannot work is found before it is started, and costs nothing.

use std::time::Duration;

use domain::{
    id::PipelineId,
    job::{Budget, JobStateTag},
    limits::{
        DISK_BYTES_MIN, MEMORY_BYTES_MIN, PREFLIGHT_TIME_LIMIT, PREFLIGHT_TTL, PREFLIGHT_TTL_FAILED,
    },
    pipeline::PipelineStateTag,
};
use engine::Progress;
use ports::{Clock as _, Room};
use testkit::world::{Script, Side, TestEnv, World};

const PLENTY: u64 = u64::MAX;

/// What another process would show.
fn told(env: &TestEnv) -> String {
    env.world.files.text(&env.engine().layout().held()).unwrap_or_default()
}

async fn waits(world: &World, id: PipelineId) -> bool {
    world.jobs(id, JobStateTag::Queued).await.iter().any(|job| job.agent.is_some())
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_not_started_until_it_does_and_others_go_on() {
    let mut env = TestEnv::new().await;
    env.world.machine.break_agent("fake", "it did not say its version within 5 s");
    let (one, other) =
        (env.start("Add a flag").await, env.start_with("Add a lever", "other").await);
    env.work();
    let others_done = async |world: &World| {
        world.state(other).await == PipelineStateTag::Succeeded && waits(world, one).await
    };
    env.until("the other one is done", others_done).await;
    assert_eq!(env.world.sandbox.launches(), 1);
    assert!(told(&env).contains("it did not say its version within 5 s"), "{}", told(&env));
    env.advance(PREFLIGHT_TTL_FAILED).await;
    let queued = env.world.jobs(one, JobStateTag::Queued).await;
    assert_eq!(queued[0].budget, Budget::default(), "it costs nothing");
    env.world.machine.mend_agents();
    env.advance(PREFLIGHT_TTL_FAILED).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(one).await, PipelineStateTag::Succeeded);
    assert_eq!(told(&env), "", "nothing waits any more");
    env.world.check(one).await;
}

#[tokio::test]
async fn without_room_nothing_is_started_and_it_is_said_which_room() {
    let disk = Room { disk_bytes: DISK_BYTES_MIN - 1, memory_bytes: None };
    let memory = Room { disk_bytes: PLENTY, memory_bytes: Some(MEMORY_BYTES_MIN - 1) };
    for (room, words) in [(disk, "199 MiB free"), (memory, "127 MiB of memory free")] {
        let mut env = TestEnv::new().await;
        env.world.machine.set_room(room);
        let mut progress = env.engine().watch();
        let id = env.start("Add a flag").await;
        env.work();
        env.until("its job waits", async |world| waits(world, id).await).await;
        assert_eq!(env.world.sandbox.launches(), 0);
        assert!(told(&env).contains(words), "{}", told(&env));
        let mut said = 0;
        while let Ok(message) = progress.try_recv() {
            said += u32::from(
                matches!(message, Progress::HeldBack { problem } if problem.contains(words)),
            );
        }
        assert_eq!(said, 1);
        env.world.machine.set_room(Room { disk_bytes: PLENTY, memory_bytes: None });
        env.advance(PREFLIGHT_TTL_FAILED).await;
        env.work_to_rest().await;
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    }
}

/// A disk that fills up is said once, with what of ours fills it, and not again with each figure.
#[tokio::test]
async fn a_full_disk_names_what_of_ours_takes_most_of_it() {
    const MIB: u64 = 1024 * 1024;
    let mut env = TestEnv::new().await;
    let room = |mib| Room { disk_bytes: mib * MIB, memory_bytes: None };
    env.world.machine.set_room(room(150));
    env.world.machine.take_room("/data/mirrors", 40 * MIB);
    env.world.machine.take_room("/data/workspaces", 9000 * MIB);
    let mut progress = env.engine().watch();
    let id = env.start("Add a flag").await;
    env.work();
    let words = "(of ours, /data/workspaces takes most: 9000 MiB)";
    env.until("it is told", async |_| told(&env).contains(words)).await;
    for mib in [140, 130, 120] {
        env.world.machine.set_room(room(mib));
        env.advance(PREFLIGHT_TTL_FAILED).await;
        let figure = format!("{mib} MiB free");
        env.until("others can read it", async |_| told(&env).contains(&figure)).await;
    }
    let mut said = 0;
    while let Ok(message) = progress.try_recv() {
        said += u32::from(matches!(message, Progress::HeldBack { .. }));
    }
    assert_eq!(said, 1);
    assert_eq!(env.world.calls.answered("machine.measure"), 1, "it is looked for once a minute");
    env.world.machine.set_room(Room { disk_bytes: PLENTY, memory_bytes: None });
    env.advance(PREFLIGHT_TTL_FAILED).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}

/// What could not be counted to its end is not said to be all of it, nor to be less than what could.
#[tokio::test]
async fn what_was_not_counted_to_its_end_is_not_said_to_be_all() {
    const MIB: u64 = 1024 * 1024;
    let cases = [
        (9000, "/data/workspaces takes most of what could be counted: at least 9000 MiB)"),
        (20, "/data/gatewright.db-wal takes most of what could be counted: 40 MiB)"),
    ];
    for (mib, words) in cases {
        let mut env = TestEnv::new().await;
        env.world.machine.set_room(Room { disk_bytes: 150 * MIB, memory_bytes: None });
        env.world.machine.take_room("/data/gatewright.db-wal", 40 * MIB);
        env.world.machine.take_more_than("/data/workspaces", mib * MIB);
        env.work_to_rest().await;
        assert!(told(&env).contains(words), "{}", told(&env));
    }
}

/// What was found well counts for a while: looking costs nothing where much is started.
#[tokio::test]
async fn a_look_counts_for_a_while_and_not_for_ever() {
    let mut env = TestEnv::new().await;
    let looks = |env: &TestEnv| env.world.calls.answered("machine.check_agent");
    for title in ["Add a flag", "Add a lever"] {
        env.start(title).await;
        env.work_to_rest().await;
    }
    assert_eq!(looks(&env), 1);
    env.world.clock.advance(PREFLIGHT_TTL + Duration::from_secs(1));
    env.start("Add a switch").await;
    env.work_to_rest().await;
    assert_eq!(looks(&env), 2);
}

/// A program that hangs keeps its own jobs waiting, and neither the loop nor anybody else's.
#[tokio::test]
async fn an_agent_that_does_not_answer_at_all_holds_up_nobody_else() {
    let mut env = TestEnv::new().await;
    env.world.machine.break_agent("fake", "gone");
    let one = env.start("Add a flag").await;
    env.work();
    env.until("it is held", async |_| told(&env).contains("gone")).await;
    env.world.calls.hang_at("machine.check_agent", Side::Before, 1);
    env.advance(PREFLIGHT_TTL_FAILED).await;
    env.trapped().await;
    let other = env.start_with("Add a lever", "other").await;
    let done = async |world: &World| world.state(other).await == PipelineStateTag::Succeeded;
    env.until("the other one is done", done).await;
    assert!(waits(&env.world, one).await);
    env.advance(PREFLIGHT_TIME_LIMIT).await;
    let words = "fake did not answer within 10 s";
    env.until("it is told", async |_| told(&env).contains(words)).await;
    env.world.machine.mend_agents();
    env.advance(PREFLIGHT_TTL_FAILED).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(one).await, PipelineStateTag::Succeeded);
}

/// A disk that hangs is no reason to stand still: what needs no process goes on, and what is wrong is said.
#[tokio::test]
async fn a_machine_that_does_not_answer_at_all_keeps_only_processes_waiting() {
    let mut env = TestEnv::new().await;
    env.world.calls.hang_at("machine.room", Side::Before, 1);
    let id = env.start("Add a flag").await;
    env.work();
    env.trapped().await;
    env.until("the repository is open", async |world| waits(world, id).await).await;
    assert_eq!(env.world.sandbox.launches(), 0);
    env.advance(PREFLIGHT_TIME_LIMIT).await;
    let words = "did not answer within 10 s";
    env.until("it is told", async |_| told(&env).contains(words)).await;
    assert_eq!(env.world.sandbox.launches(), 0);
    env.advance(PREFLIGHT_TTL_FAILED).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(told(&env), "", "nothing waits any more");
}

/// On a disk that hangs others cannot be told, and nobody waits for that: neither jobs nor the end.
#[tokio::test]
async fn a_file_that_cannot_be_written_for_others_keeps_nobody() {
    let mut env = TestEnv::new().await;
    env.world.calls.hang_at("files.write", Side::Before, 1);
    env.work();
    env.trapped().await;
    let hung_at = env.world.clock.now();
    env.rest_as_time_passes(Duration::from_millis(100)).await.unwrap();
    assert!(env.world.clock.now() <= hung_at + 2 * PREFLIGHT_TIME_LIMIT);
    env.world.machine.set_room(Room { disk_bytes: DISK_BYTES_MIN - 1, memory_bytes: None });
    env.world.clock.advance(PREFLIGHT_TTL);
    env.work_to_rest().await;
    assert!(told(&env).contains("199 MiB free"), "it is written once the disk answers");
}

/// An agent that is at work already is followed, whatever its program is like by now.
#[tokio::test]
async fn an_agent_at_work_is_taken_up_although_its_program_is_gone() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.crash().await;
    env.world.machine.break_agent("fake", "gone");
    env.world.machine.set_room(Room { disk_bytes: DISK_BYTES_MIN - 1, memory_bytes: None });
    env.work();
    env.until("it is followed again", async |world| world.sandbox.followers() == 1).await;
    env.world.machine.set_room(Room { disk_bytes: PLENTY, memory_bytes: None });
    env.world.machine.mend_agents();
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
}
