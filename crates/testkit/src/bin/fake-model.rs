//! Serves a scripted model, for shell tests and for a try without a key.

use std::{io, process::ExitCode};

use engine::chain;
use testkit::model_server::{ModelServer, Script};

const USAGE: &str = "usage: fake-model --script FILE.toml [--port N]

Prints {\"base_url\": ..} and serves the Anthropic Messages and the OpenAI Responses protocol there until its
standard input ends or it gets a SIGTERM. Without --port a free port is taken.";

/// What the command line asks for.
struct Arguments {
    script: String,
    port: u16,
}

#[expect(clippy::print_stdout, reason = "the address is this program's output")]
#[expect(clippy::print_stderr, reason = "a program says on standard error why it fails")]
fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let server = match start(&arguments) {
        Ok(server) => server,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", serde_json::json!({ "base_url": server.base_url() }));
    // The default action of SIGTERM is right: there is nothing to tidy up.
    match io::copy(&mut io::stdin(), &mut io::sink()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: could not read standard input: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut script, mut port) = (None, 0);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{flag}` needs a value"));
        match flag.as_str() {
            "--script" => script = Some(value()?),
            "--port" => {
                let text = value()?;
                port = text.parse().map_err(|_| format!("`{text}` is not a port"))?;
            }
            _ => return Err(format!("`{flag}` is not known")),
        }
    }
    Ok(Arguments { script: script.ok_or("--script is missing")?, port })
}

fn start(arguments: &Arguments) -> Result<ModelServer, String> {
    let Arguments { script: path, port } = arguments;
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("could not read {path}: {error}"))?;
    let script = Script::parse(&text).map_err(|error| format!("{path}: {}", chain(&error)))?;
    ModelServer::start_on(script, *port)
        .map_err(|error| format!("could not listen on port {port}: {error}"))
}
