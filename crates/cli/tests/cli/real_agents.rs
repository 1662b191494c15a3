//! The real Claude Code and the real Codex, in the real sandbox, against a model on loopback.

use std::path::Path;

use camino::Utf8Path;
use testkit::{
    agent_cli,
    gatewright::Gatewright,
    model_server::{ModelServer, Script, Turn},
};

use crate::world::{Told, World};

fn script() -> Script {
    Script::new([
        Turn::write_file("made.txt", "it's made\nby an agent\n"),
        Turn::shell("git add made.txt && git commit -qm 'make a file'"),
        Turn::say("All done."),
    ])
}

/// An item that the agent delivers, told what its provider's variables are called.
fn deliver(kind: &str, program: &Utf8Path, environment: &str) -> (World, Told) {
    // Not the system's temporary directory: Codex refuses to keep its helpers there.
    let world = World::with(Gatewright::below(
        env!("CARGO_BIN_EXE_gatewright"),
        Path::new(env!("CARGO_TARGET_TMPDIR")),
    ));
    world.gatewright.configure(&format!(
        "agent = \"{kind}\"\ngates.tests.run = \"tests/run.sh\"\n[agents.{kind}]\nkind = \"{kind}\"\ncommand = [\"{program}\"]\n[agents.{kind}.env]\n{environment}\n"
    ));
    let told = world.deliver();
    (world, told)
}

fn assert_delivered(world: &World, told: &Told, server: &ModelServer) {
    world.assert_merged(told);
    assert_eq!(world.repository.show("main:made.txt"), "it's made\nby an agent\n");
    assert_eq!(told.result["stages"][0]["gates"][0]["outcome"], "pass");
    assert_eq!(server.turns().len(), 3);
    assert!(told.result["tokens"].as_u64().unwrap() > 3 * 1200, "{told:#?}");
}

#[test]
fn claude_code_changes_a_file_and_passes_its_gate() {
    let server = ModelServer::start(script());
    let environment =
        format!("ANTHROPIC_BASE_URL = \"{}\"\nANTHROPIC_API_KEY = \"fake\"", server.base_url());
    let (world, told) = deliver("claude", &agent_cli::claude(), &environment);
    assert_delivered(&world, &told, &server);
}

#[test]
fn codex_changes_a_file_and_passes_its_gate() {
    let server = ModelServer::start(script());
    let environment =
        format!("OPENAI_BASE_URL = \"{}/v1\"\nOPENAI_API_KEY = \"fake\"", server.base_url());
    let (world, told) = deliver("codex", &agent_cli::codex(), &environment);
    assert_delivered(&world, &told, &server);
}

/// No retry is burnt, and no question asked for each pipeline: the agent waits for a person, who finds the pipeline
/// where it was.
#[test]
fn a_key_that_is_refused_is_said_at_once_and_nothing_is_delivered() {
    let server = ModelServer::start(Script::new([Turn::fail(401)]));
    let environment =
        format!("ANTHROPIC_BASE_URL = \"{}\"\nANTHROPIC_API_KEY = \"fake\"", server.base_url());
    let (world, told) = deliver("claude", &agent_cli::claude(), &environment);
    assert_eq!(told.outcome(), ("running", Some(3)), "{told:#?}");
    assert!(told.text("reason").contains("401"), "{told:#?}");
    world.assert_untouched();
    assert_eq!(world.briefs().len(), 1);
}
