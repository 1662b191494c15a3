//! Tests that start real coding agents; they can be left out by the name of this module.

mod claude;
mod codex;
