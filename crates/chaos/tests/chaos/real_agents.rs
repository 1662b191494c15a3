//! The real Claude Code under one orchestrator after the other, against a model on loopback.

use std::path::Path;

use testkit::{
    agent_cli,
    gatewright::{Gatewright, Running},
    model_server::{ModelServer, Script, Turn},
    repository::Repository,
};

use crate::world::PROGRAM;

const RESTARTS: usize = 10;

/// Ten orchestrators are killed or drained in the middle of its tool calls: it is one conversation, asked nothing twice,
/// and its stream is read whole.
#[test]
fn claude_code_outlives_ten_orchestrators_and_is_one_conversation() {
    let gatewright = Gatewright::below(PROGRAM, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let repository = Repository::greet();
    let (pace, said) = (gatewright.bell("pace"), gatewright.bell("said"));
    let call = |number: usize| {
        Turn::shell(format!("echo {number} > {}; read now < {}", said.path(), pace.path()))
    };
    let work = [
        Turn::shell("echo new > made.txt; git add made.txt; git commit -qm 'make a file'"),
        Turn::say("All done."),
    ];
    let server = ModelServer::start(Script::new((1..=RESTARTS).map(call).chain(work)));
    gatewright.configure(&format!(
        "agent = \"claude\"\nkey = \"IT\"\nsandbox.read = [\"{}\"]\ngates.tests.run = \"tests/run.sh\"\n\
         [agents.claude]\nkind = \"claude\"\ncommand = [\"{}\"]\n\
         [agents.claude.env]\nANTHROPIC_BASE_URL = \"{}\"\nANTHROPIC_API_KEY = \"fake\"\n",
        pace.path().parent().unwrap(),
        agent_cli::claude(),
        server.base_url()
    ));
    let start =
        |arguments: &[&str]| Running::start(&mut gatewright.command(repository.path(), arguments));
    let said = said.listen();
    let mut running = start(&["run", "Add a file", "--merge", "--json"]);
    for number in 1..=RESTARTS {
        assert_eq!(said.next(), number.to_string());
        if number % 2 == 0 {
            running.signal("TERM");
            assert_eq!(running.finish().code(), Some(130));
        } else {
            running.kill();
            assert_eq!(running.finish().code(), None);
        }
        running = start(&["run", "--resume", "all", "--json"]);
        running.wait_for("is still at work: taken up again");
        pace.ring();
    }
    let finished = running.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert_eq!(repository.show("main:made.txt"), "new\n");
    assert_eq!(server.turns().len(), RESTARTS + 2, "a turn was asked twice");
    let shown = start(&["pipeline", "show", "IT-001", "--json"]).finish().json();
    assert_eq!(shown["runs"].as_array().unwrap().len(), 1);
    let log = start(&["logs", "IT-001", "--json"]).finish();
    let calls: Vec<&str> = log.stdout.lines().filter(|line| line.contains("tool_call")).collect();
    assert_eq!(calls.len(), RESTARTS + 1, "{log:#?}");
    for (index, call) in calls.iter().take(RESTARTS).enumerate() {
        assert!(call.contains(&format!("echo {} > ", index + 1)), "{call}");
    }
}
