//! The crate against real repositories in temporary directories.

mod command;
mod hand_in;
mod hand_in_hostile;
mod inspect;
mod keep;
mod land;
mod merge;
mod mirror;
mod prepare;
mod publish;
mod sync;
mod workspace;
mod world;
