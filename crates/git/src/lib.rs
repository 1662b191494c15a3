//! The only code that runs git.
//!
//! A project has one bare mirror, which is ours. Branches of the people's repository are kept in it under
//! `refs/remotes/origin/`, pipelines' branches under `refs/heads/`, so that no fetch can touch ours. Agents get
//! clones that borrow the mirror's objects. Once an agent could write into a directory, the host never runs git in
//! there again: what must happen inside is a script for the agent's sandbox, and its result is a bundle that is
//! unpacked into a throw-away repository and checked there.

mod binary;
mod blocking;
mod command;
mod commit;
mod findings;
mod hand_in;
mod layout;
mod locks;
mod merge;
mod mirror;
mod mirror_git;
mod people;
mod revisions;
mod scratch;
mod script;
mod workspace;

pub use binary::{Version, find_git, version};
pub use mirror_git::{MirrorGit, Options};
pub use people::{Inspection, SeedFile};
