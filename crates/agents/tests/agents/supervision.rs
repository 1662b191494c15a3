//! What the supervision makes of real agents: nothing.

use domain::{
    limits::{AGENT_STALL_LIMIT, AGENT_TOOL_LIMIT},
    run::AgentEvent,
    supervision::{Alarm, Limits, Supervisor},
};
use jiff::Timestamp;

use crate::{
    player::Stage,
    run::{exited, read, recorded},
};

fn alarm(events: &[AgentEvent]) -> Option<Alarm> {
    let now = Timestamp::UNIX_EPOCH;
    let mut supervisor =
        Supervisor::new(now, AGENT_STALL_LIMIT, AGENT_TOOL_LIMIT, Limits::default());
    events.iter().find_map(|event| supervisor.heard(now, event))
}

#[test]
fn no_recorded_stream_is_an_alarm() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/streams");
    let mut streams = 0;
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let name = file.trim_end_matches(".jsonl");
        let kind = name.split('-').next().unwrap();
        let read = read(kind, &recorded(name), &exited(0), "");
        assert_eq!(alarm(&read.events), None, "{name}");
        streams += 1;
    }
    assert!(streams > 30, "only {streams} were found");
}

/// People see the same words for each: the file. What is compared is the whole call.
#[test]
fn edit_after_edit_of_one_file_is_no_loop() {
    let edits = (0..200).map(|line| {
        format!(
            "{{\"type\":\"assistant\",\"message\":{{\"id\":\"m{line}\",\"content\":[{{\"type\":\"tool_use\",\"name\":\"Edit\",\"input\":\
             {{\"file_path\":\"src/lib.rs\",\"old_string\":\"line {line}\",\"new_string\":\"LINE {line}\"}}}}]}}}}\n\
             {{\"type\":\"user\",\"message\":{{\"content\":[{{\"type\":\"tool_result\",\"content\":\"The file has been updated.\"}}]}}}}"
        )
    });
    let stream = edits.collect::<Vec<_>>().join("\n");
    let read = read("claude", &stream, &exited(0), "");
    let shown = |event: &AgentEvent| matches!(event, AgentEvent::ToolCall { input, .. } if input == "src/lib.rs");
    assert_eq!(read.events.iter().filter(|event| shown(event)).count(), 200);
    assert_eq!(alarm(&read.events), None);
}

#[test]
fn the_same_look_again_and_again_is_a_loop() {
    let look = r#"{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","name":"Read","input":{"file_path":"README.md"}}]}}
{"type":"user","message":{"content":[{"type":"tool_result","content":"the same lines"}]}}
"#;
    let read = read("claude", &look.repeat(100), &exited(0), "");
    assert!(matches!(alarm(&read.events), Some(Alarm::Repetition { .. })));
}

#[test]
fn the_demo_is_no_alarm() {
    let stage = Stage::new();
    for attempt in ["1", "2", "3"] {
        let played = stage
            .play_as("demo", &[("GATEWRIGHT_ROLE", "developer"), ("GATEWRIGHT_ATTEMPT", attempt)]);
        assert_eq!(alarm(&played.read().events), None, "attempt {attempt}");
    }
}
