//! Claude Code, run without a terminal: `claude -p --output-format stream-json`.

mod agent;
mod launch;
mod parser;
mod wire;

pub(crate) use agent::Claude;
