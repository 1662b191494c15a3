//! Keys of agents, which others repeat.

use domain::id::PipelineId;
use testkit::world::{Answer, FAKE_KEY, Script, TestEnv};

/// Everything that is remembered of a pipeline and told to agents. It holds no key.
async fn kept(env: &TestEnv, id: PipelineId) -> String {
    let events = env.world.events(id).await;
    let verdicts = env.world.store.list_verdicts(id).await.expect("the store is well");
    let briefs = env.world.briefs.contexts();
    let question = env.world.question(id).await;
    let kept = format!("{events:?} {verdicts:?} {briefs:?} {question:?}");
    assert!(!kept.contains(FAKE_KEY), "{kept}");
    kept
}

/// An agent has written its key into a file, and a gate that reads it says whatever it says about it.
#[tokio::test]
async fn no_gate_repeats_the_key_that_an_agent_has_written_into_a_file() {
    let words = format!("line 1: {FAKE_KEY}");
    for answer in
        [Answer::Fails, Answer::Errs, Answer::Asks, Answer::Breaks].map(|it| it(words.clone()))
    {
        let mut env = TestEnv::new().await;
        env.world.gates.next_answer("tests", answer.clone());
        let id = env.start("Add a flag").await;
        env.work_to_rest().await;
        let kept = kept(&env, id).await;
        assert!(kept.contains("line 1: $FAKE_KEY"), "{answer:?}: {kept}");
        env.world.check(id).await;
    }
}

/// Where a merge meets others' changes, the place is named, and what stands there is quoted.
#[tokio::test]
async fn no_conflict_repeats_the_key_that_an_agent_has_named_a_file_after() {
    let mut env = TestEnv::new().await;
    let path = format!("{FAKE_KEY}.rs");
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.world.git.people_commit(&env.project, "main", &path, "theirs");
    env.world.sandbox.play(0, Script::writes(&path, "ours"));
    env.work_to_rest().await;
    assert!(env.world.sandbox.launches() > 1, "there is a conflict");
    assert!(kept(&env, id).await.contains("$FAKE_KEY.rs"));
}
