//! What talks to the world outside: destinations of letters, one folder a kind.
//!
//! A delivery may be cut short anywhere and made again. What it must not do is arrive twice where the other side can tell:
//! every letter has a key that never changes, and each kind says here how it uses it.

mod command;
mod file;
mod message;
mod unreachable;

pub use command::{CommandDestination, CommandOptions, usher};
pub use file::FileDestination;
pub use unreachable::UnreachableDestination;
