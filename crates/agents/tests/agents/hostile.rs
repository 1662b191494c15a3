//! Lines that nobody in their right mind would write.

use agents::KINDS;
use domain::run::AgentEvent;
use proptest::prelude::*;

use crate::run::{as_told, exited, read, recorded};

const RECORDED: &[&str] = &[
    "claude-bypass-issandbox",
    "claude-err-429",
    "claude-partial",
    "codex-patch",
    "codex-err-400",
    "codex-err-529",
    "codex-resume",
];

/// What no event may carry to a terminal or into a brief.
fn fit_for_people(event: &AgentEvent) -> bool {
    let fits = |words: &str, bytes: usize| {
        words.len() <= bytes
            && words.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            && !words.contains('\u{202e}')
    };
    match event {
        AgentEvent::Text { text } | AgentEvent::Error { message: text } => fits(text, 4200),
        AgentEvent::ToolCall { name, input, .. } => {
            fits(name, 2400) && fits(input, 2400) && !input.contains('\n')
        }
        AgentEvent::Started { session } => session.as_deref().is_none_or(|it| fits(it, 128)),
        _ => true,
    }
}

fn assert_survives(stream: &str) {
    for kind in KINDS {
        let read = read(kind, stream, &exited(0), stream);
        assert!(read.events.iter().all(fit_for_people), "{kind}: {:?}", read.events);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        assert_survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn recorded_lines_cut_anywhere_are_survived(stream in 0..RECORDED.len(), at in any::<prop::sample::Index>()) {
        let text = recorded(RECORDED[stream]);
        let cut: String = text.chars().take(at.index(text.chars().count())).collect();
        assert_survives(&cut);
    }

    #[test]
    fn recorded_lines_with_a_value_of_another_shape_are_survived(
        stream in 0..RECORDED.len(), at in any::<prop::sample::Index>(), value in "(null|-1|1e999|\\[\\]|\\{\\}|\"\\\\u202e\\\\u001b\"|99999999999999999999)"
    ) {
        let text = recorded(RECORDED[stream]);
        let places: Vec<_> = text.match_indices(':').map(|(at, _)| at).collect();
        let colon = places[at.index(places.len())];
        let rest = &text[colon + 1..];
        let end = rest.find([',', '}', '\n']).unwrap_or(rest.len());
        assert_survives(&format!("{}:{value}{}", &text[..colon], &rest[end..]));
    }
}

#[test]
fn a_line_of_ten_megabytes_becomes_a_few_kilobytes() {
    let long = "x".repeat(10 * 1024 * 1024);
    assert_survives(&long);
    assert_survives(&format!(
        r#"{{"type":"assistant","message":{{"id":"m","content":[{{"type":"text","text":"{long}"}}]}}}}"#
    ));
    assert_survives(&format!(
        r#"{{"type":"item.completed","item":{{"id":"i","type":"agent_message","text":"{long}"}}}}"#
    ));
}

#[test]
fn json_that_is_nested_without_end_is_a_line_like_any_other() {
    assert_survives(&"[".repeat(100_000));
    assert_survives(&format!(r#"{{"type":"user","message":{}"#, r#"{"content":"#.repeat(10_000)));
}

#[test]
fn a_direction_override_in_a_tool_call_is_shown() {
    let line = r#"{"type":"tool_call","name":"shell\u001b[2J","input":"rm \u202e x\ny"}"#;
    let read = read("command", line, &exited(0), "");
    let call = AgentEvent::ToolCall {
        name: "shell\\u{1b}[2J".to_owned(),
        input: "rm \\u{202e} x y".to_owned(),
        fingerprint: None,
        only_reads: false,
    };
    assert_eq!(as_told(&read.events), [call]);
}
