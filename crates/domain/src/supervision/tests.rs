//! What is an alarm and what must not be one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Alarm, Limits, Supervisor};
use crate::{
    failure::FailureClass,
    fingerprint::Fingerprint,
    limits::{AGENT_PROGRESS_LIMIT, AGENT_REPEAT_LIMIT, AGENT_STALL_LIMIT, AGENT_TOOL_LIMIT},
    name::AgentName,
    run::AgentEvent,
};

/// An agent that is watched, and its own clock.
struct Watched {
    supervisor: Supervisor,
    now: Timestamp,
}

impl Watched {
    fn new(limits: Limits) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let supervisor = Supervisor::new(now, AGENT_STALL_LIMIT, AGENT_TOOL_LIMIT, limits);
        Self { supervisor, now }
    }

    fn passes(&mut self, time: Duration) {
        self.now += SignedDuration::try_from(time).unwrap();
    }

    fn hears(&mut self, event: &AgentEvent) -> Option<Alarm> {
        self.supervisor.heard(self.now, event)
    }

    /// A call and its answer, some seconds apart.
    fn calls(&mut self, tool: &str, input: &str, answer: Result<&str, &str>) -> Option<Alarm> {
        let called = self.hears(&call(tool, input));
        self.passes(Duration::from_secs(5));
        called.or_else(|| self.hears(&result(answer)))
    }
}

fn call(tool: &str, input: &str) -> AgentEvent {
    AgentEvent::ToolCall {
        name: tool.to_owned(),
        input: input.to_owned(),
        fingerprint: Some(Fingerprint::of(&[tool, input])),
        only_reads: tool == "read",
    }
}

fn result(answer: Result<&str, &str>) -> AgentEvent {
    let (Ok(words) | Err(words)) = answer;
    AgentEvent::ToolResult {
        ok: answer.is_ok(),
        size: words.len() as u64,
        fingerprint: Some(Fingerprint::of(&[words])),
    }
}

fn said(text: &str) -> AgentEvent {
    AgentEvent::Text { text: text.to_owned() }
}

/// The first alarm of so many rounds, and the round that it came in.
fn first_alarm(
    rounds: usize,
    mut play: impl FnMut(&mut Watched, usize) -> Option<Alarm>,
) -> Option<(usize, Alarm)> {
    let mut watched = Watched::new(Limits::default());
    (0..rounds).find_map(|round| play(&mut watched, round).map(|alarm| (round, alarm)))
}

/// Lessons, 9: a loop of 94 min, 613 calls of the same few and 162 million tokens that nobody saw.
#[test]
fn a_loop_over_the_same_few_calls_is_found_within_its_first_tenth() {
    let files = ["README.md", "src/lib.rs", "src/main.rs"];
    let found = first_alarm(613, |agent, round| {
        agent.passes(Duration::from_secs(4));
        let file = files[round % files.len()];
        agent.calls("read", file, Ok(file))
    });
    let (round, alarm) = found.expect("an alarm");
    assert!(round <= 64, "{round} calls went by");
    let Alarm::Repetition { calls: 60, new, times: 20, within, .. } = &alarm else {
        panic!("{alarm:?}")
    };
    assert!(*new <= 3 && *within < Duration::from_mins(10), "{alarm:?}");
    let failure = alarm.failure(&AgentName::new("it").unwrap());
    assert_eq!(failure.class, FailureClass::Resource);
    insta::assert_snapshot!(failure.message, @"agent `it` went round in circles and was stopped: within 531 s it made 60 tool calls, 3 of which asked or brought anything new, and 20 of which were `read src/main.rs`; repeat_limit in [agents.it] sets how many, 0 switches it off");
}

#[test]
fn polling_whose_answers_change_is_no_loop() {
    let found = first_alarm(500, |agent, round| {
        agent.passes(Duration::from_secs(30));
        // Every third answer is as before.
        agent.calls("shell", "curl -s localhost/status", Ok(&format!("{} %", round / 3)))
    });
    assert_eq!(found, None);
}

/// Lessons, 9: false alarms about agents that were at work.
#[test]
fn testing_and_mending_is_no_loop_however_long() {
    let found = first_alarm(300, |agent, round| {
        agent
            .calls("edit", &format!("src/lib.rs try {round}"), Ok("edited"))
            .or_else(|| agent.calls("shell", "cargo test", Err("2 tests failed")))
            .or_else(|| agent.calls("read", "src/lib.rs", Ok("the same lines")))
    });
    assert_eq!(found, None);
}

#[test]
fn reading_file_after_file_is_no_loop() {
    let found = first_alarm(400, |agent, round| {
        agent.calls("read", &format!("src/{round}.rs"), Ok("// nothing in here"))
    });
    assert_eq!(found, None);
}

#[test]
fn answers_of_calls_side_by_side_count_for_each_of_them() {
    let found = first_alarm(200, |agent, round| {
        let calls = ["one", "two", "three"];
        let called = calls.iter().find_map(|it| agent.hears(&call("shell", it)));
        agent.passes(Duration::from_secs(10));
        let answers = calls.iter().rev();
        called.or_else(|| {
            answers.into_iter().find_map(|it| agent.hears(&result(Ok(&format!("{it} {round}")))))
        })
    });
    assert_eq!(found, None);
}

#[test]
fn calls_that_cannot_be_told_apart_are_no_loop() {
    let patch = AgentEvent::ToolCall {
        name: "apply_patch".to_owned(),
        input: "update src/lib.rs".to_owned(),
        fingerprint: None,
        only_reads: false,
    };
    assert_eq!(first_alarm(400, |agent, _| agent.hears(&patch)), None);
}

#[test]
fn a_busy_agent_that_does_nothing_new_for_long_gets_nowhere() {
    let found = first_alarm(2000, |agent, round| {
        agent.passes(Duration::from_secs(20));
        agent
            .hears(&said("let me look at that once more"))
            .or_else(|| agent.calls("read", &format!("src/{round}.rs"), Ok("lines")))
    });
    let (_, Alarm::NoProgress { since, turns }) = found.expect("an alarm") else {
        panic!("another alarm")
    };
    assert!(since >= AGENT_PROGRESS_LIMIT && since < AGENT_PROGRESS_LIMIT * 2);
    assert!(turns >= 100);
}

#[test]
fn a_new_act_now_and_then_is_progress() {
    let found = first_alarm(2000, |agent, round| {
        agent.passes(Duration::from_secs(20));
        let read = agent.calls("read", &format!("src/{round}.rs"), Ok("lines"));
        read.or_else(|| {
            let wrote = round.is_multiple_of(50);
            wrote.then(|| agent.calls("write", &format!("notes {round}"), Ok("written"))).flatten()
        })
    });
    assert_eq!(found, None);
}

#[test]
fn long_thoughts_are_no_lack_of_progress() {
    let found = first_alarm(20, |agent, _| {
        agent.passes(Duration::from_mins(4));
        agent.hears(&AgentEvent::Thinking)
    });
    assert_eq!(found, None);
}

#[test]
fn the_same_error_again_and_again_is_an_alarm_and_success_in_between_is_none() {
    let stuck = |agent: &mut Watched, round: usize| {
        agent.calls("shell", &format!("make try-{round}"), Err("no rule to make target"))
    };
    let (round, alarm) = first_alarm(100, stuck).expect("an alarm");
    assert_eq!(round, 14);
    assert_eq!(
        alarm,
        Alarm::Errors { times: 15, what: "`shell make try-14` did not work".to_owned() }
    );
    let sometimes = first_alarm(100, |agent, round| {
        let read = round % 10 == 9;
        let fine = read.then(|| agent.calls("read", &format!("Makefile {round}"), Ok("all:")));
        fine.flatten().or_else(|| stuck(agent, round))
    });
    assert_eq!(sometimes, None);
    let others = first_alarm(100, |agent, round| {
        agent.calls("shell", &format!("make try-{round}"), Err(&format!("error {round}")))
    });
    assert_eq!(others, None, "each is another error");
}

#[test]
fn a_provider_that_is_unwell_is_not_the_agents_error() {
    let found = first_alarm(100, |agent, round| {
        let attempt = u32::try_from(round).unwrap();
        agent.hears(&AgentEvent::Retrying { status: Some(529), after: None, attempt })
    });
    assert_eq!(found, None);
}

#[test]
fn a_short_call_that_ends_beside_a_long_one_leaves_the_long_one_its_time() {
    let mut agent = Watched::new(Limits::default());
    for tool in ["make", "date"] {
        assert_eq!(agent.hears(&call("shell", tool)), None);
    }
    assert_eq!(agent.hears(&result(Ok("noon"))), None);
    assert_eq!(agent.hears(&said("the build goes on meanwhile")), None);
    agent.passes(AGENT_TOOL_LIMIT.saturating_sub(Duration::from_secs(1)));
    assert_eq!(agent.supervisor.silent(agent.now), None);
    agent.passes(Duration::from_secs(1));
    assert_eq!(agent.supervisor.deadline(), agent.now);
    assert!(matches!(agent.supervisor.silent(agent.now), Some(Alarm::LongCall { .. })));
}

#[test]
fn an_agent_that_never_tells_of_results_has_ended_its_call_when_it_speaks() {
    let mut agent = Watched::new(Limits::default());
    assert_eq!(agent.hears(&call("shell", "make")), None);
    assert_eq!(agent.hears(&said("built")), None);
    agent.passes(AGENT_STALL_LIMIT);
    let silence = Alarm::Silence { limit: AGENT_STALL_LIMIT };
    assert_eq!(agent.supervisor.silent(agent.now), Some(silence));
}

#[test]
fn what_is_switched_off_never_sounds() {
    let limits = Limits { repeats: 0, errors: 0, progress: Duration::ZERO };
    let mut agent = Watched::new(limits);
    for _ in 0..2000 {
        agent.passes(Duration::from_mins(1));
        assert_eq!(agent.calls("shell", "make", Err("no rule")), None);
    }
}

fn event() -> impl Strategy<Value = AgentEvent> {
    let word = || proptest::sample::select(vec!["a", "b", "c", "d"]);
    prop_oneof![
        4 => (word(), word()).prop_map(|(tool, input)| call(tool, input)),
        2 => word().prop_map(|words| result(Ok(words))),
        1 => word().prop_map(|words| result(Err(words))),
        1 => word().prop_map(said),
        1 => Just(AgentEvent::Thinking),
        1 => Just(AgentEvent::Finished),
        1 => word().prop_map(|words| AgentEvent::Error { message: words.to_owned() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Silence is counted from the last word, and the agent is given the longer time as long as a call is open.
    #[test]
    fn the_deadline_lies_one_limit_after_the_last_word(events in proptest::collection::vec((event(), 0u64..100), 1..200)) {
        let mut agent = Watched::new(Limits::default());
        for (event, wait) in events {
            agent.passes(Duration::from_secs(wait));
            let _alarm = agent.hears(&event);
            let ahead = Duration::try_from(agent.supervisor.deadline().duration_since(agent.now)).unwrap();
            prop_assert!(ahead == AGENT_STALL_LIMIT || ahead == AGENT_TOOL_LIMIT);
            prop_assert_eq!(agent.supervisor.silent(agent.now), None);
        }
    }

    /// As long as one call in ten is new, nobody goes round in circles.
    #[test]
    fn whoever_keeps_asking_something_new_is_never_in_a_loop(repeats in proptest::collection::vec(0usize..10, 0..60)) {
        let mut agent = Watched::new(Limits::default());
        for (round, repeats) in repeats.iter().enumerate() {
            for tool in std::iter::repeat_n("again".to_owned(), *repeats).chain([format!("new {round}")]) {
                let alarm = agent.calls("read", &tool, Ok("lines"));
                prop_assert!(!matches!(alarm, Some(Alarm::Repetition { .. })), "{:?}", alarm);
            }
        }
    }

    /// Whatever came before: when nothing is new any more, the alarm sounds within twice the window.
    #[test]
    fn a_loop_is_found_whatever_came_before(before in proptest::collection::vec(event(), 0..300), calls in 1usize..5) {
        let mut agent = Watched::new(Limits { errors: 0, ..Limits::default() });
        for event in before {
            let _alarm = agent.hears(&event);
        }
        let rounds = 2 * AGENT_REPEAT_LIMIT as usize + calls;
        let found = (0..rounds).find_map(|round| agent.calls("loop", &(round % calls).to_string(), Ok("as ever")));
        prop_assert!(matches!(found, Some(Alarm::Repetition { .. })), "{:?}", found);
    }
}
