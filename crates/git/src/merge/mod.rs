//! Bringing branches together, inside the mirror only.

mod conflict;
mod integrate;
mod join;
mod replay;
mod tree;

pub(crate) use integrate::integrate;
pub(crate) use join::join;
