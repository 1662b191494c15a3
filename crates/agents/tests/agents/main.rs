//! What the agents make of streams, profiles and scenarios.

mod claude;
mod codex;
mod command;
mod demo;
mod hostile;
mod launch;
mod player;
mod run;
mod supervision;
