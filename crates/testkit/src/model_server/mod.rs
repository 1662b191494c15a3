//! A fake model on loopback that plays a script to real coding agents.
//!
//! It speaks the Anthropic Messages protocol and the `OpenAI` Responses protocol, streamed and not. What it says
//! next depends on the conversation in the request, never on a connection, so a client may retry as it likes.

mod script;

mod anthropic;
mod conversation;
mod journal;
mod openai;
mod player;
mod reply;
mod routes;
mod server;
mod speech;

pub use journal::{Answer, Request};
pub use script::{CallUsage, Script, ScriptError, Turn};
pub use server::ModelServer;
