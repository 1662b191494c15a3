//! What the binary does under and inside sandboxes: never typed by people, never in the help.

use std::{env, io, process::ExitCode};

use camino::Utf8PathBuf;

/// Becomes the shim, an usher or the scripted agent if the first argument says so. Before anything else is set up: the shim
/// must be small, and must not have started a thread.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut args = env::args_os().skip(1);
    let first = args.next()?;
    if first == "usher" {
        return Some(integrations::usher(args));
    }
    let rest: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    match first.to_str()? {
        "shim" => {
            let place = rest.first().map(Utf8PathBuf::from).unwrap_or_default();
            let code = sandbox::shim::main(&place);
            Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
        }
        "scripted-agent" => Some(ExitCode::from(scripted_agent(&rest))),
        _ => None,
    }
}

fn scripted_agent(args: &[String]) -> u8 {
    let scenario = match args {
        [flag, scenario] if flag == "--scenario" => scenario.clone(),
        _ => String::new(),
    };
    let workspace = env::current_dir()
        .ok()
        .and_then(|dir| Utf8PathBuf::from_path_buf(dir).ok())
        .unwrap_or_default();
    let vars = env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let options = agents::scripted::Options { scenario, workspace, vars };
    agents::scripted::play(&options, &mut io::stdout(), &mut io::stderr())
}
