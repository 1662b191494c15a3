//! The people's own repository: where work comes from and lands.
//!
//! It is theirs and trusted; only its hooks are off, because what they would do is not ours to start.

mod inspect;
mod land;
mod local;
mod publish;
mod remote;
mod repository;
mod seed;
mod worktrees;

pub use inspect::Inspection;
pub(crate) use land::land;
pub(crate) use publish::publish;
pub(crate) use repository::Repository;
pub use seed::SeedFile;
