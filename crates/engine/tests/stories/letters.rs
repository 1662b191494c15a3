//! What the world outside is told: everything that was promised, once, in order, whatever dies.

use std::time::Duration;

use domain::{
    id::PipelineId,
    limits::{BACKOFF_MAX, DELIVERY_TIME_LIMIT, LETTER_FAILURES_MAX, LETTER_LOST_MAX},
    outbox::{Letter, LetterState},
    pipeline::{Actor, EventKind, EventKindTag, Input, PipelineStateTag},
};
use engine::StopMode;
use ports::Clock as _;
use testkit::world::{PERSON, Reception, Script, TestEnv, World};

/// Three letters a story.
const EVENTS: &[EventKindTag] =
    &[EventKindTag::Started, EventKindTag::StageEntered, EventKindTag::Succeeded];

async fn env() -> TestEnv {
    TestEnv::new().await.with_destinations(&[("log", EVENTS)])
}

/// A pipeline whose agent does what it should.
async fn started(env: &TestEnv) -> PipelineId {
    env.world.sandbox.next_plays(Script::writes("flag.rs", "a flag"));
    env.start("Add a flag").await
}

fn keys(letters: &[Letter]) -> Vec<String> {
    letters.iter().map(Letter::key).collect()
}

async fn assert_all_delivered(env: &TestEnv, id: PipelineId, name: &str, why: &str) {
    let promised = env.world.promised(id, name).await;
    assert!(promised.len() > 2, "{why}: {promised:?}");
    assert_eq!(keys(&env.world.destinations.has(name)), promised, "{why}");
    let open = env.world.letters(id).await.into_iter().find(|letter| {
        letter.destination.as_str() == name
            && !matches!(letter.state, LetterState::Delivered { .. })
    });
    assert_eq!(open, None, "{why}");
    env.world.check(id).await;
}

#[tokio::test]
async fn a_run_ends_with_its_last_letter_delivered() {
    let mut env = env().await;
    let id = started(&env).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_all_delivered(&env, id, "log", "nothing went wrong").await;
    let last = env.world.destinations.has("log").pop().unwrap();
    assert!(matches!(last.event.kind, EventKind::Succeeded { .. }));
    assert_eq!((last.title.as_str(), last.item.to_string()), ("Add a flag", "ET-001".to_owned()));
}

/// The write of a step, the taking, the delivery and its acknowledgement, on both sides of each: a promised event has its
/// letter, a key has one effect, and the effects have the order of the events.
#[tokio::test]
async fn a_crash_at_any_call_loses_no_letter_and_delivers_none_twice() {
    for number in 1.. {
        let mut env = env().await;
        let id = started(&env).await;
        env.world.calls.hang_at_number(number);
        if !env.work_into_trap().await {
            assert!(number > 100, "a story has more calls than {number}");
            return;
        }
        let crash = format!("crash {number}, at {:?}", env.world.calls.sprung());
        env.crash().await;
        env.work_to_rest().await;
        assert_all_delivered(&env, id, "log", &crash).await;
    }
}

/// Goes on when whatever waits has waited long enough.
async fn later(env: &mut TestEnv) {
    env.world.clock.advance(BACKOFF_MAX);
    env.work_to_rest().await;
}

#[tokio::test]
async fn a_letter_whose_answer_was_lost_is_sent_again_and_taken_once() {
    let mut env = env().await;
    env.world.destinations.plan("log", &[Reception::LosesTheAnswer, Reception::Takes]);
    let id = started(&env).await;
    env.work_to_rest().await;
    later(&mut env).await;
    let promised = env.world.promised(id, "log").await;
    let expected: Vec<_> = promised.iter().take(1).chain(&promised).cloned().collect();
    assert_eq!(env.world.destinations.tries("log"), expected);
    assert_all_delivered(&env, id, "log", "the first was tried twice").await;
}

#[tokio::test]
async fn a_destination_that_is_busy_gets_its_letters_later_and_in_order() {
    let mut env = env().await;
    let busy = Reception::Busy(Some(Duration::from_mins(5)));
    env.world.destinations.plan("log", &[busy, Reception::Busy(None), Reception::Takes]);
    let id = started(&env).await;
    let asked_at = env.world.clock.now();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded, "work waits for no letter");
    let letters = env.world.letters(id).await;
    let LetterState::Queued { available_at } = letters[0].state else {
        panic!("it is not given up: {:?}", letters[0])
    };
    assert!(available_at >= asked_at + Duration::from_mins(5), "it asked to be left alone");
    assert_eq!(env.world.destinations.tries("log").len(), 1, "those behind it wait");
    later(&mut env).await;
    later(&mut env).await;
    assert_all_delivered(&env, id, "log", "two tries failed").await;
}

#[tokio::test]
async fn a_destination_that_hangs_holds_up_neither_work_nor_others_nor_the_end() {
    let mut env = TestEnv::new().await.with_destinations(&[("chat", EVENTS), ("log", EVENTS)]);
    env.world.destinations.plan("chat", &[Reception::Hangs]);
    let id = started(&env).await;
    env.work();
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_all_delivered(&env, id, "log", "the other one hangs").await;
    let first = env.world.letters(id).await.remove(0);
    assert!(matches!(first.state, LetterState::Queued { .. }), "left for the next process");
    let counted = (first.failures, first.lost);
    assert_eq!(counted, (1, 0), "one that always hangs must come to an end some day");
    env.world.destinations.plan("chat", &[Reception::Takes]);
    env.world.clock.advance(BACKOFF_MAX);
    env.work_to_rest().await;
    assert_all_delivered(&env, id, "chat", "it woke up").await;
}

/// However many wait, and whatever is looked at meanwhile: a run that has nothing else to do leaves them to the next.
#[tokio::test]
async fn letters_that_would_take_minutes_keep_a_finished_run_for_half_a_minute() {
    let events = &[EventKindTag::Paused, EventKindTag::Resumed];
    let mut env = TestEnv::new().await.with_destinations(&[("log", events)]);
    env.world.destinations.plan("log", &[Reception::Dawdles(Duration::from_secs(3))]);
    let id = env.start("Add a flag").await;
    for input in [Input::Pause, Input::Resume].into_iter().cycle().take(41) {
        let _moved = env.engine().ask(id, &input, PERSON).await.unwrap();
    }
    let began_at = env.world.clock.now();
    env.work();
    env.rest_as_time_passes(Duration::from_millis(100)).await.unwrap();
    assert!(env.world.clock.now() <= began_at + Duration::from_mins(1));
    let taken = env.world.destinations.has("log").len();
    assert!((8..20).contains(&taken), "{taken} were delivered in that time");
    let letters = env.world.letters(id).await;
    let left = letters.iter().filter(|it| !matches!(it.state, LetterState::Delivered { .. }));
    assert!(left.clone().all(|it| (it.failures, it.lost) == (0, 0)), "those left are as they were");
    assert_eq!(left.count(), 41 - taken);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_delivery_that_takes_too_long_has_failed() {
    let mut env = env().await;
    env.world.destinations.plan("log", &[Reception::Hangs, Reception::Takes]);
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    let followed = async |world: &World| world.sandbox.followers() == 1;
    env.until("it is followed", followed).await;
    assert_eq!(env.world.destinations.tries("log").len(), 1);
    env.advance(DELIVERY_TIME_LIMIT).await;
    env.until("it is given up", async |world| world.letters(id).await[0].failures == 1).await;
    let why = env.world.letters(id).await.remove(0).last_error;
    assert_eq!(why.as_deref(), Some("it did not answer within 30 s"));
    env.stop(StopMode::StopAgents).await;
}

#[tokio::test]
async fn a_letter_that_is_refused_is_told_and_those_behind_it_are_delivered() {
    let mut env = env().await;
    env.world.destinations.plan("log", &[Reception::Refuses, Reception::Takes]);
    let id = started(&env).await;
    env.work_to_rest().await;
    let promised = env.world.promised(id, "log").await;
    assert_eq!(keys(&env.world.destinations.has("log")), promised[1..]);
    let dead = env.world.letters(id).await.remove(0);
    assert!(matches!(&dead.state, LetterState::Dead { why, .. } if why == "it never will"));
    let told = |event: &EventKind| matches!(event, EventKind::LetterDied { letter, about: 1, .. } if *letter == dead.id);
    assert_eq!(env.world.count(id, told).await, 1);
    env.world.check(id).await;
}

/// A destination that is away for good: each of its letters is given up in the end, and people can send them later.
#[tokio::test]
async fn a_letter_that_is_tried_too_often_is_dead_until_a_person_has_it_tried_again() {
    let mut env = TestEnv::new().await.with_destinations(&[("log", &[EventKindTag::Succeeded])]);
    env.world.destinations.plan("log", &[Reception::Busy(None)]);
    let id = started(&env).await;
    env.work_to_rest().await;
    for _ in 1..LETTER_FAILURES_MAX {
        assert!(matches!(env.world.letters(id).await[0].state, LetterState::Queued { .. }));
        later(&mut env).await;
    }
    let dead = env.world.letters(id).await.remove(0);
    assert!(matches!(&dead.state, LetterState::Dead { why, .. } if why == "it is busy"));
    assert_eq!(env.world.destinations.tries("log").len(), LETTER_FAILURES_MAX as usize);
    env.world.destinations.plan("log", &[Reception::Takes]);
    later(&mut env).await;
    assert_eq!(env.world.destinations.has("log"), [], "nobody tries any more");
    env.engine().retry_letter(dead.id, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(keys(&env.world.destinations.has("log")), env.world.promised(id, "log").await);
    let last = env.world.events(id).await.pop().unwrap();
    assert!(matches!(last.kind, EventKind::LetterRetried { .. }));
    assert_eq!(last.actor, Actor::Person { name: PERSON.to_owned() });
    env.world.check(id).await;
}

#[tokio::test]
async fn a_letter_that_a_person_drops_is_not_sent_and_says_by_whom_and_why() {
    let env = env().await;
    let id = env.start("Add a flag").await;
    let first = env.world.letters(id).await.remove(0);
    let dropped = env.engine().drop_letter(first.id, "nobody reads it", PERSON).await.unwrap();
    assert_eq!(env.world.letters(id).await, [dropped]);
    let told = |event: &EventKind| matches!(event, EventKind::LetterDropped { reason, .. } if reason == "nobody reads it");
    assert_eq!(env.world.count(id, told).await, 1);
    let again = env.engine().retry_letter(first.id, PERSON).await;
    assert!(matches!(again, Err(engine::EngineError::Letter(_))), "{again:?}");
    env.world.check(id).await;
}

/// Two people look at the same letter, and each decides by what they see: what each is told is what became of it.
#[tokio::test]
async fn who_is_slower_with_a_letter_is_not_told_that_it_was_done() {
    let env = env().await;
    let id = env.start("Add a flag").await;
    let first = env.world.letters(id).await.remove(0);
    let (engine, other) = (env.engine(), "Mallory");
    let (one, two, three) = tokio::join!(
        engine.drop_letter(first.id, "nobody reads it", PERSON),
        engine.retry_letter(first.id, other),
        engine.drop_letter(first.id, "another reason", other),
    );
    let dropped = env.world.letters(id).await.remove(0);
    assert_eq!(one.unwrap(), dropped);
    for slower in [two, three] {
        assert!(matches!(slower, Err(engine::EngineError::Letter(_))), "{slower:?}");
    }
    env.world.check(id).await;
}

#[tokio::test]
async fn an_input_that_changes_nothing_is_told_to_nobody() {
    let env = TestEnv::new()
        .await
        .with_destinations(&[("log", &[EventKindTag::Started, EventKindTag::Paused])]);
    let id = env.start("Add a flag").await;
    let again = env.engine().ask(id, &Input::Start, PERSON).await;
    assert!(again.is_err(), "it was started");
    assert_eq!(env.world.letters(id).await.len(), 1);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_letter_that_ends_the_process_each_time_does_not_do_so_for_ever() {
    let mut env = TestEnv::new().await.with_destinations(&[("log", &[EventKindTag::Started])]);
    let id = started(&env).await;
    env.world.destinations.plan("log", &[Reception::Hangs]);
    for lost in 0..=LETTER_LOST_MAX as usize {
        env.work();
        let under_way = async |world: &World| world.destinations.tries("log").len() == lost + 1;
        env.until("it is under way", under_way).await;
        env.crash().await;
    }
    env.work_to_rest().await;
    let letter = env.world.letters(id).await.remove(0);
    assert!(matches!(letter.state, LetterState::Dead { .. }), "{letter:?}");
    assert_eq!(env.world.destinations.tries("log").len(), LETTER_LOST_MAX as usize + 1);
    let abandoned = env.world.destinations.abandoned("log");
    assert_eq!(abandoned, [letter.key()], "what the last try left at work is ended");
}

#[tokio::test]
async fn a_destination_that_panics_harms_nobody_else() {
    let mut env = TestEnv::new().await.with_destinations(&[("chat", EVENTS), ("log", EVENTS)]);
    env.world.destinations.plan("chat", &[Reception::Panics, Reception::Takes]);
    let id = started(&env).await;
    env.work_to_rest().await;
    assert_all_delivered(&env, id, "log", "the other one panicked").await;
    env.work_to_rest().await;
    assert_all_delivered(&env, id, "chat", "the next process takes it up").await;
}

#[tokio::test]
async fn who_is_told_to_stop_waits_for_a_delivery_but_not_for_ever() {
    let mut env = env().await;
    env.world.destinations.plan("log", &[Reception::Hangs]);
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.tell_to_stop(StopMode::LeaveAgents);
    let told_at = env.world.clock.now();
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert!(env.world.clock.now() <= told_at + Duration::from_secs(5), "it has to be gone by then");
    let first = env.world.letters(id).await.remove(0);
    assert!(matches!(first.state, LetterState::Queued { .. }), "{first:?}");
    assert_eq!((first.failures, first.lost), (0, 0));
}
