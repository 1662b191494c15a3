//! The shim as a program of its own, and an orchestrator that launches and waits once; both for the tests of this crate.
//!
//! `shim PLACE` is the shim. `run BACKEND DIR SPEC` launches the specification in the file SPEC and prints how it ended; it
//! lets a test be an orchestrator with another user's rights. `connect NAME` connects to an abstract socket, from inside.

use std::{
    io::Write,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    },
    process::ExitCode,
};

use camino::Utf8Path;
use ports::{SandboxSpec, SandboxStatus};
use sandbox::{Backend, Options};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["shim", place] => {
            ExitCode::from(u8::try_from(sandbox::shim::main(Utf8Path::new(place))).unwrap_or(1))
        }
        ["connect", name] => match SocketAddr::from_abstract_name(name)
            .and_then(|it| UnixStream::connect_addr(&it))
        {
            Ok(_) => print("connected", ExitCode::SUCCESS),
            Err(error) => print(&error.to_string(), ExitCode::FAILURE),
        },
        ["run", backend, dir, spec] => match run(backend, Utf8Path::new(dir), spec) {
            Ok(text) => print(&text, ExitCode::SUCCESS),
            Err(text) => print(&text, ExitCode::FAILURE),
        },
        _ => ExitCode::from(64),
    }
}

fn run(backend: &str, dir: &Utf8Path, spec: &str) -> Result<String, String> {
    let backend = match backend {
        "process" => Backend::Process,
        _ => Backend::Bubblewrap,
    };
    let spec = std::fs::read(spec).map_err(|error| error.to_string())?;
    let spec: SandboxSpec = serde_json::from_slice(&spec).map_err(|error| error.to_string())?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let options = Options {
        shim: vec![program.to_string_lossy().into_owned(), "shim".to_owned()],
        bubblewrap: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let (sandbox, _) =
            sandbox::select(backend, options).await.map_err(|error| error.to_string())?;
        sandbox.launch(dir, &spec).await.map_err(|error| format!("{error:?}"))?;
        match sandbox.wait(dir).await.map_err(|error| format!("{error:?}"))? {
            SandboxStatus::Ended(record) => {
                serde_json::to_string(&record).map_err(|error| error.to_string())
            }
            other => Err(format!("{other:?}")),
        }
    })
}

fn print(text: &str, code: ExitCode) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
