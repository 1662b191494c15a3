//! The way from an item to merged code.

use std::sync::Arc;

use domain::pipeline::PipelineStateTag;
use store_sqlite::SqliteStore;
use testkit::world::{Answer, Script, TestEnv, definitions};

async fn one_item_is_merged(mut env: TestEnv) {
    env.world.sandbox.next_plays(Script::writes("flag.rs", "a flag"));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    let merged = env.world.git.people_file(&env.project, "main", "flag.rs");
    assert_eq!(merged.as_deref(), Some("a flag"));
    assert_eq!((env.world.sandbox.launches(), env.world.git.workspaces()), (1, 0));
    env.world.check(id).await;
}

#[tokio::test]
async fn a_pipeline_runs_through_agent_gate_and_merge_to_its_end() {
    one_item_is_merged(TestEnv::new().await).await;
}

#[tokio::test]
async fn it_does_on_sqlite_as_well() {
    one_item_is_merged(TestEnv::on(Arc::new(SqliteStore::in_memory().unwrap())).await).await;
}

#[tokio::test]
async fn findings_of_a_failed_gate_are_in_the_next_brief() {
    let mut env = TestEnv::new().await;
    env.world.gates.next_answer("tests", Answer::Fails("2 tests failed".to_owned()));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let contexts = env.world.briefs.contexts();
    let (first, last) = (contexts.first().unwrap(), contexts.last().unwrap());
    assert_eq!((first.attempt, first.findings.len()), (1, 0));
    assert_eq!((last.attempt, last.findings[0].message.as_str()), (2, "2 tests failed"));
    assert_eq!(last.sent_back_by.as_deref(), Some("gate `tests` of stage `build`"));
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_command_that_passed_on_this_very_tree_is_not_run_again() {
    let mut env = TestEnv::new().await;
    env.definition.stages[1].gates[0].check = env.definition.stages[0].gates[0].check.clone();
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.gates.times_asked("tests"), 1);
    assert_eq!(env.world.gates.times_asked("mergeable"), 0);
}

#[tokio::test]
async fn roles_of_a_wave_work_side_by_side_and_become_one_commit() {
    let wave = definitions::stage("build", &["developer", "tester"]);
    let mut env = TestEnv::new().await.with_definition(definitions::definition(vec![wave]));
    env.world.sandbox.next_plays(Script::waits());
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("both are followed", async |world| world.sandbox.followers() == 2).await;
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    env.world.sandbox.play(1, Script::writes("test.rs", "a test"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    let head = env.world.pipeline(id).await.head.unwrap();
    let file = |path| env.world.git.file(&head, path);
    assert_eq!(
        (file("flag.rs").as_deref(), file("test.rs").as_deref()),
        (Some("a flag"), Some("a test"))
    );
    env.world.check(id).await;
}
