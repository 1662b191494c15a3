//! Any program as an agent: `command = ["/opt/agents/mine", "--fast"]`.
//!
//! The brief is its standard input, and a file named by `GATEWRIGHT_BRIEF`. Each line that it prints is taken as
//! text, unless it is an event in the JSON form of [`domain::run::AgentEvent`]:
//!
//! ```json
//! {"type":"tool_call","name":"shell","input":"make test"}
//! {"type":"usage","total":{"input_tokens":1200,"output_tokens":80,"cache_read_tokens":0,"cache_creation_tokens":0}}
//! ```
//!
//! A key that is refused is `{"type":"retrying","status":401,"attempt":1}`, and a spent window is
//! `{"type":"rate_limited","until":"2026-01-01T15:00:00Z"}`, as the last word: prose about either stops no other agent.
//! Totals of tokens only rise; one that falls, or that no run can have used, is not believed.
//!
//! Exit code 0 is a good end, with two exceptions: a program that has said `started` and not `finished` was cut off,
//! and one whose last word is `retrying` or `rate_limited` was refused by its provider.

mod agent;
mod launch;
mod parser;

pub(crate) use agent::Command;
pub(crate) use parser::Parser;
