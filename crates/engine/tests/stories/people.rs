//! What people are asked, and what they ask for.

use domain::{
    decision::{Choice, DecisionKind},
    failure::FailureClass,
    pipeline::PipelineStateTag,
};
use testkit::world::{Answer, PERSON, Script, TestEnv, definitions};

#[tokio::test]
async fn an_approval_can_be_given_without_being_asked() {
    let mut env = TestEnv::new().await.with_definition(definitions::build_and_ask());
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let question = env.world.question(id).await.unwrap();
    assert_eq!(question.kind, DecisionKind::Approval);
    assert!(env.engine().approve_unseen(question.id, PERSON).await.unwrap());
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_question_of_an_agent_is_not_answered_by_approving() {
    let mut env = TestEnv::new().await;
    env.world.gates.next_answer("tests", Answer::Asks("Which colour?".to_owned()));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let question = env.world.question(id).await.unwrap();
    assert!(!env.engine().approve_unseen(question.id, PERSON).await.unwrap());
    assert_eq!(env.world.question(id).await.unwrap(), question, "it is still open");
    let answer = env.engine().resolve(&question, Choice::Answer, "Blue.", PERSON).await;
    let _moved = answer.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.briefs.contexts().last().unwrap().answers[0].answer, "Blue.");
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}

#[tokio::test]
async fn an_escalation_is_not_answered_by_approving() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Permanent));
    env.world.sandbox.next_plays(Script::fails(FailureClass::Permanent));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let question = env.world.question(id).await.unwrap();
    assert_eq!(question.kind, DecisionKind::Escalation);
    assert!(!env.engine().approve_unseen(question.id, PERSON).await.unwrap());
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
}

#[tokio::test]
async fn items_are_numbered_above_the_branches_that_exist() {
    let env = TestEnv::new().await;
    for branch in ["feature/ET-041-old", "feature/ET-9", "feature/XX-100-other", "feature/ET-x"] {
        env.world.git.people_commit(&env.project, branch, "old.rs", "old");
    }
    env.world.sync(&env.project).await;
    let (first, second) = (env.create("Add a flag").await, env.create("Add a switch").await);
    assert_eq!(env.world.pipeline(first).await.item.key.to_string(), "ET-042");
    assert_eq!(env.world.pipeline(second).await.item.key.to_string(), "ET-043");
}
