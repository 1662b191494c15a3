//! Onto the target, one after the other.

use std::sync::Arc;

use domain::{
    decision::Choice,
    definition::{Definition, Stage},
    job::JobStateTag,
    name::StageName,
    pipeline::{EventKind, Input, PipelineStateTag},
};
use testkit::{
    store_model::ModelStore,
    world::{
        PERSON, TestEnv, World,
        definitions::{approval, build_and_ship, definition, stage},
    },
};

/// A merge of its own that a pipeline is asked about.
fn asked_about(event: &EventKind) -> bool {
    matches!(event, EventKind::MergedBefore { .. })
}

/// `build` and `ship`, and both once more.
fn merges_twice() -> Definition {
    let mut stages = build_and_ship().stages;
    for stage in build_and_ship().stages {
        let name = StageName::new(format!("{}-again", stage.name)).expect("a name");
        stages.push(Stage { name, ..stage });
    }
    definition(stages)
}

#[tokio::test]
async fn two_pipelines_of_a_project_land_one_after_the_other() {
    let mut env = TestEnv::new().await;
    let ids = [env.start("Add a flag").await, env.start("Add a switch").await];
    env.world.gates.hold("mergeable");
    env.work();
    let waits = async |world: &World| {
        let (one, other) =
            (world.jobs(ids[0], JobStateTag::Queued), world.jobs(ids[1], JobStateTag::Queued));
        let queued = [one.await, other.await].concat();
        world.gates.times_asked("mergeable") == 1 && queued.iter().any(|job| job.exclusive)
    };
    env.until("one is judged and the other waits", waits).await;
    env.world.gates.release("mergeable");
    env.work_to_rest().await;
    assert_eq!(env.world.git.landings(&env.project), 2);
    let moved = |event: &EventKind| matches!(event, EventKind::TargetMoved { .. });
    for id in ids {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
        assert_eq!(env.world.count(id, moved).await, 0, "nobody was in the way");
        env.world.check(id).await;
    }
}

#[tokio::test]
async fn a_target_that_moves_during_the_gate_is_integrated_again() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    env.world.gates.hold("mergeable");
    env.work();
    let asked = async |world: &World| world.gates.times_asked("mergeable") == 1;
    env.until("the gate is asked", asked).await;
    env.world.git.people_commit(&env.project, "main", "other.rs", "theirs");
    env.world.gates.release("mergeable");
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.gates.times_asked("mergeable"), 2, "the new tree is judged anew");
    let file = |path| env.world.git.people_file(&env.project, "main", path);
    assert_eq!(file("other.rs").as_deref(), Some("theirs"));
    assert!(file("work-0.txt").is_some());
    env.world.check(id).await;
}

#[tokio::test]
async fn a_pipeline_that_contradicts_the_target_is_sent_back_mended_and_merged() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    env.world.sandbox.next_plays(testkit::world::Script::writes("README", "ours"));
    env.world.gates.hold("tests");
    env.work();
    let asked = async |world: &World| world.gates.times_asked("tests") == 1;
    env.until("the gate is asked", asked).await;
    env.world.git.people_commit(&env.project, "main", "README", "theirs");
    env.world.gates.release("tests");
    let other = env.start("Add a switch").await;
    env.work_to_rest().await;
    let sent_back = |event: &EventKind| matches!(event, EventKind::SentBack { .. });
    assert!(env.world.count(id, sent_back).await > 0);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.state(other).await, PipelineStateTag::Succeeded);
}

#[tokio::test]
async fn a_definition_that_merges_twice_merges_twice_and_asks_nobody() {
    let mut env = TestEnv::new().await.with_definition(merges_twice());
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.git.landings(&env.project), 2);
    assert_eq!(env.world.count(id, asked_about).await, 0, "its log tells of the first");
    env.world.check(id).await;
}

#[tokio::test]
async fn a_merge_that_a_person_has_begin_anew_brings_what_is_new_and_nothing_twice() {
    let mut stages = build_and_ship().stages;
    stages.push(Stage { gates: vec![approval("approval")], ..stage("look", &["developer"]) });
    let mut env = TestEnv::new().await.with_definition(definition(stages));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.git.landings(&env.project), 1);
    let ship = Input::RestartStage { stage: StageName::new("ship").unwrap() };
    let _moved = env.engine().ask(id, &ship, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.git.landings(&env.project), 2, "what `look` made is new");
    assert_eq!(env.world.count(id, asked_about).await, 0);
    assert_eq!(env.world.state(id).await, PipelineStateTag::AwaitingHuman);
    env.world.check(id).await;
}

/// The log is of a backup that was made before them. A person lets what was made since be merged as well, and is not asked
/// again, neither about those nor about the merge that follows.
#[tokio::test]
async fn merges_that_the_log_does_not_tell_of_are_asked_about_once() {
    let store = Arc::new(ModelStore::default());
    let mut env = TestEnv::on(Arc::clone(&store) as _).await.with_definition(merges_twice());
    let id = env.start("Add a flag").await;
    let backup = store.copy();
    env.work_to_rest().await;
    assert_eq!(env.world.git.landings(&env.project), 2);

    store.bring_back(&backup);
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert_eq!(env.world.git.landings(&env.project), 2, "nothing is merged before they answer");
    let both = |event: &EventKind| matches!(event, EventKind::MergedBefore { commits } if commits.len() == 2);
    assert_eq!(env.world.count(id, both).await, 1);

    let question = env.world.question(id).await.unwrap();
    let _moved = env.engine().resolve(&question, Choice::Retry, "merge it", PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.git.landings(&env.project), 4);
    assert_eq!(env.world.count(id, asked_about).await, 1);
    env.world.check(id).await;
}
