//! Keys of agents, which others repeat.

use testkit::world::{Answer, FAKE_KEY, TestEnv};

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
        let events = env.world.events(id).await;
        let verdicts = env.world.store.list_verdicts(id).await.unwrap();
        let briefs = env.world.briefs.contexts();
        let question = env.world.question(id).await;
        let kept = format!("{events:?} {verdicts:?} {briefs:?} {question:?}");
        assert!(!kept.contains(FAKE_KEY), "{answer:?}: {kept}");
        assert!(kept.contains("line 1: $FAKE_KEY"), "{answer:?}: {kept}");
        env.world.check(id).await;
    }
}
