//! One call of git: absolute binary, clean environment, own process group, time limit, bounded output.

mod call;
mod environment;
mod group;

pub(crate) use call::{Call, Input, Output};
pub(crate) use environment::{Caller, Runner};
