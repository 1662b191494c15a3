//! Workspaces and checkouts: clones that borrow the mirror's objects.

mod clone;
mod open;
mod place;
mod remove;
mod sweep;

pub(crate) use clone::checkout;
pub(crate) use open::open;
pub(crate) use place::check_place;
pub(crate) use remove::remove;
pub(crate) use sweep::{list, sweep};
