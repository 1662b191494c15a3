//! A small world around a judge: a repository in memory, a sandbox without walls, a clock that ticks when read.

mod clock;
mod git;
mod machine;
mod sandbox;
mod world;

pub(crate) use sandbox::FakeSandbox;
pub(crate) use world::{World, world};
