//! A long time with a little work.

use std::{sync::Arc, time::Duration};

use domain::pipeline::PipelineStateTag;
use engine::{AtRest, StopMode, stop_channel};
use testkit::world::TestEnv;

/// F16: a server that runs for long stops fetching. For a day an item comes every hour, and each is done while time
/// stands still: by wake-ups alone, without the look that is meant for lost ones.
#[tokio::test]
async fn f16_a_day_with_work_trickling_in_loses_no_wake_up() {
    const STEP: Duration = Duration::from_mins(10);
    let env = TestEnv::new().await;
    let (stop, signal) = stop_channel();
    let engine = Arc::clone(env.engine());
    let at_work = tokio::spawn(async move { engine.run(signal, AtRest::Wait).await });
    for hour in 0..24 {
        let id = env.start(&format!("Item {hour}")).await;
        let done = async |world: &testkit::world::World| {
            world.state(id).await == PipelineStateTag::Succeeded
        };
        env.until("it is done", done).await;
        env.world.check(id).await;
        for _ in 0..6 {
            env.advance(STEP).await;
        }
    }
    stop.send_replace(Some(StopMode::LeaveAgents));
    at_work.await.unwrap().unwrap();
}
