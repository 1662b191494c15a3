//! The real Claude Code against the fake model.

use serde_json::{Value, json};
use testkit::{
    agent_cli,
    model_server::{Answer, CallUsage, ModelServer, Script, Turn},
};

use crate::agent::{Run, Workplace};

const FILE: &str = "it's made\nby an agent\n";

fn write_and_say() -> [Turn; 2] {
    [Turn::write_file("made here/made.txt", FILE), Turn::say("All done.")]
}

fn claude(workplace: &Workplace, server: &ModelServer, arguments: &[&str]) -> Run {
    let mut command = workplace.command(&agent_cli::claude());
    command
        .env("ANTHROPIC_BASE_URL", server.base_url())
        .env("ANTHROPIC_API_KEY", "fake")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "2")
        // Lets root bypass permissions; means nothing to others.
        .env("IS_SANDBOX", "1")
        .args(["-p", "role: coder\nMake the file.", "--output-format", "stream-json", "--verbose"])
        .args(["--permission-mode", "bypassPermissions"])
        .args(arguments);
    Run::of(&mut command)
}

fn retries(run: &Run) -> Vec<(&Value, &Value)> {
    let retries = run.of_type("system").filter(|event| event["subtype"] == "api_retry");
    retries.map(|event| (&event["error_status"], &event["retry_delay_ms"])).collect()
}

#[test]
fn claude_plays_the_script_of_its_brief() {
    let server = ModelServer::start(
        Script::new([Turn::say("wrong script")]).when("role: coder", write_and_say()),
    );
    let workplace = Workplace::new();
    let run = claude(&workplace, &server, &[]);

    let result = run.only("result");
    assert_eq!(
        (run.code, &result["is_error"], &result["result"]),
        (Some(0), &json!(false), &json!("All done."))
    );
    assert_eq!(workplace.read("made here/made.txt"), FILE);
    assert_eq!(server.turns(), write_and_say());
    let CallUsage { input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens } =
        CallUsage::default();
    let usage = &result["usage"];
    assert_eq!(usage["input_tokens"], 2 * input_tokens);
    assert_eq!(usage["output_tokens"], 2 * output_tokens);
    assert_eq!(usage["cache_read_input_tokens"], 2 * cache_read_tokens);
    assert_eq!(usage["cache_creation_input_tokens"], 2 * cache_creation_tokens);
    assert!(
        server
            .requests()
            .iter()
            .filter(|it| it.answer != Answer::Aside)
            .all(|it| it.credential.is_some())
    );
}

#[test]
fn claude_waits_as_long_as_a_rate_limit_says_and_goes_on() {
    let limit = Turn::Fail { status: 429, retry_after_seconds: Some(1), body: None };
    let script: Vec<Turn> = [limit].into_iter().chain(write_and_say()).collect();
    let server = ModelServer::start(Script::new(script.clone()));
    let workplace = Workplace::new();
    let run = claude(&workplace, &server, &[]);

    let [(status, wait)] = retries(&run)[..] else { panic!("{:?}", retries(&run)) };
    assert_eq!(*status, json!(429));
    // Its own backoff may ask for a little more.
    assert!(wait.as_u64().is_some_and(|wait| wait >= 1000), "{wait}");
    assert_eq!((run.code, &run.only("result")["is_error"]), (Some(0), &json!(false)));
    assert_eq!(workplace.read("made here/made.txt"), FILE);
    assert_eq!(server.turns(), script);
}

#[test]
fn claude_gives_up_on_a_key_that_is_never_accepted() {
    let server = ModelServer::start(Script::new([Turn::fail(401)]));
    let run = claude(&Workplace::new(), &server, &[]);

    let result = run.only("result");
    assert_eq!(
        (run.code, &result["is_error"], &result["api_error_status"]),
        (Some(1), &json!(true), &json!(401))
    );
    assert_eq!(server.turns(), [(); 3].map(|()| Turn::fail(401)));
}

#[test]
fn claude_asks_again_after_a_cut_stream() {
    let [write, say] = write_and_say();
    let script = [write, Turn::CutStream, say];
    let server = ModelServer::start(Script::new(script.clone()));
    let workplace = Workplace::new();
    let run = claude(&workplace, &server, &[]);

    assert_eq!((run.code, &run.only("result")["result"]), (Some(0), &json!("All done.")));
    assert_eq!(workplace.read("made here/made.txt"), FILE);
    assert_eq!(server.turns(), script);
}

#[test]
fn a_resumed_session_of_claude_goes_on_in_the_script() {
    let script =
        [Turn::say("First."), Turn::shell("echo second > second.txt"), Turn::say("Second.")];
    let server = ModelServer::start(Script::default().when("role: coder", script.clone()));
    let workplace = Workplace::new();
    let first = claude(&workplace, &server, &[]);
    let session = first.only("result")["session_id"].as_str().unwrap();
    let second = claude(&workplace, &server, &["--resume", session]);

    assert_eq!(second.only("result")["result"], "Second.");
    assert_eq!(workplace.read("second.txt"), "second\n");
    assert_eq!(server.turns(), script);
}
