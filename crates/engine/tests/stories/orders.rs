//! The same story in many orders of events.

use std::sync::Arc;

use domain::pipeline::PipelineStateTag;
use store_sqlite::SqliteStore;
use testkit::world::TestEnv;

/// More calls than the story has: some crashes come too late.
const CALLS: u64 = 700;

/// Two pipelines of one project come to their end, with a crash on the way.
async fn two_items_are_merged(mut env: TestEnv, seed: u64) {
    let ids = [env.start("Add a flag").await, env.start("Add a switch").await];
    env.world.calls.shuffle(seed);
    env.world.calls.hang_at_number(1 + seed * 7 % CALLS);
    if env.work_into_trap().await {
        env.crash().await;
        env.work_to_rest().await;
    }
    for id in ids {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded, "seed {seed}");
        env.world.check(id).await;
    }
    let done = (env.world.sandbox.launches(), env.world.git.landings(&env.project));
    assert_eq!(done, (2, 2), "seed {seed}");
}

#[tokio::test]
async fn whatever_goes_first_and_whenever_it_crashes_the_end_is_the_same() {
    for seed in 0..50 {
        two_items_are_merged(TestEnv::new().await, seed).await;
    }
}

#[tokio::test]
async fn it_is_on_sqlite_as_well() {
    for seed in 0..8 {
        let store = Arc::new(SqliteStore::in_memory().unwrap());
        two_items_are_merged(TestEnv::on(store).await, seed * 13).await;
    }
}
