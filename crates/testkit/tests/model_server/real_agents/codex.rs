//! The real Codex against the fake model.

use serde_json::{Value, json};
use testkit::{
    agent_cli,
    model_server::{CallUsage, ModelServer, Script, Turn},
};

use crate::agent::{Run, Workplace};

const FILE: &str = "it's made\nby an agent\n";

/// No client knows it, so it gets the plainest tools.
const UNKNOWN_MODEL: &str = "scripted";

fn write_and_say() -> [Turn; 2] {
    [Turn::write_file("made here/made.txt", FILE), Turn::say("All done.")]
}

fn codex(workplace: &Workplace, server: &ModelServer, model: &str, resume: &[&str]) -> Run {
    let provider = format!(
        "model_providers.fake={{name=\"fake\",base_url=\"{}/v1\",wire_api=\"responses\",env_key=\"FAKE_KEY\",\
         request_max_retries=2,stream_max_retries=2,stream_idle_timeout_ms=60000}}",
        server.base_url()
    );
    let codex_home = workplace.home().join("codex");
    std::fs::create_dir_all(&codex_home).unwrap();
    let mut command = workplace.command(&agent_cli::codex());
    command
        .env("CODEX_HOME", codex_home)
        .env("FAKE_KEY", "fake")
        .args([
            "exec",
            "--json",
            "-c",
            "analytics.enabled=false",
            "--disable",
            "plugins",
            "--disable",
            "apps",
        ])
        .args([
            "--disable",
            "remote_plugin",
            "-m",
            model,
            "-c",
            "model_provider=fake",
            "-c",
            &provider,
        ])
        .arg("--dangerously-bypass-approvals-and-sandbox")
        .args(resume)
        .arg("role: coder\nMake the file.");
    Run::of(&mut command)
}

fn last_message(run: &Run) -> &Value {
    let items = run.of_type("item.completed").map(|event| &event["item"]);
    &items.filter(|item| item["type"] == "agent_message").last().expect("an agent message")["text"]
}

/// Every generation of models gets other tools from Codex.
#[test]
fn codex_plays_the_script_with_the_tools_of_any_model() {
    for model in [UNKNOWN_MODEL, "gpt-5.5", "gpt-6.1-sol"] {
        let server = ModelServer::start(
            Script::new([Turn::say("wrong script")]).when("role: coder", write_and_say()),
        );
        let workplace = Workplace::new();
        let run = codex(&workplace, &server, model, &[]);

        assert_eq!((run.code, last_message(&run)), (Some(0), &json!("All done.")), "{model}");
        assert_eq!(workplace.read("made here/made.txt"), FILE, "{model}");
        assert_eq!(server.turns(), write_and_say(), "{model}");
        let CallUsage { input_tokens, output_tokens, cache_read_tokens, .. } = CallUsage::default();
        let usage = &run.only("turn.completed")["usage"];
        assert_eq!(usage["input_tokens"], 2 * (input_tokens + cache_read_tokens), "{model}");
        assert_eq!(usage["cached_input_tokens"], 2 * cache_read_tokens, "{model}");
        assert_eq!(usage["output_tokens"], 2 * output_tokens, "{model}");
    }
}

#[test]
fn codex_goes_on_after_a_rate_limit() {
    let limit = Turn::Fail { status: 429, retry_after_seconds: Some(1), body: None };
    let script: Vec<Turn> = [limit].into_iter().chain(write_and_say()).collect();
    let server = ModelServer::start(Script::new(script.clone()));
    let workplace = Workplace::new();
    let run = codex(&workplace, &server, UNKNOWN_MODEL, &[]);

    assert_eq!((run.code, last_message(&run)), (Some(0), &json!("All done.")));
    assert_eq!(workplace.read("made here/made.txt"), FILE);
    assert_eq!(server.turns(), script);
}

#[test]
fn codex_gives_up_on_a_key_that_is_never_accepted() {
    let server = ModelServer::start(Script::new([Turn::fail(401)]));
    let run = codex(&Workplace::new(), &server, UNKNOWN_MODEL, &[]);

    let message = run.only("turn.failed")["error"]["message"].as_str().unwrap();
    assert!(run.code == Some(1) && message.contains("401"), "{:?}: {message}", run.code);
    assert_eq!(server.turns(), [(); 3].map(|()| Turn::fail(401)));
}

#[test]
fn codex_asks_again_after_a_cut_stream() {
    let [write, say] = write_and_say();
    let script = [write, Turn::CutStream, say];
    let server = ModelServer::start(Script::new(script.clone()));
    let workplace = Workplace::new();
    let run = codex(&workplace, &server, UNKNOWN_MODEL, &[]);

    let errors: Vec<&str> =
        run.of_type("error").filter_map(|event| event["message"].as_str()).collect();
    assert!(
        errors.iter().any(|it| it.contains("stream disconnected before completion")),
        "{errors:?}"
    );
    assert_eq!((run.code, last_message(&run)), (Some(0), &json!("All done.")));
    assert_eq!(workplace.read("made here/made.txt"), FILE);
    assert_eq!(server.turns(), script);
}

#[test]
fn a_resumed_thread_of_codex_goes_on_in_the_script() {
    let script =
        [Turn::say("First."), Turn::shell("echo second > second.txt"), Turn::say("Second.")];
    let server = ModelServer::start(Script::default().when("role: coder", script.clone()));
    let workplace = Workplace::new();
    let first = codex(&workplace, &server, UNKNOWN_MODEL, &[]);
    let thread = first.only("thread.started")["thread_id"].as_str().unwrap();
    let second = codex(&workplace, &server, UNKNOWN_MODEL, &["resume", thread]);

    assert_eq!(last_message(&second), "Second.");
    assert_eq!(workplace.read("second.txt"), "second\n");
    assert_eq!(server.turns(), script);
}
