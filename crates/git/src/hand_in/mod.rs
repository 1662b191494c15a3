//! Taking what an agent hands in, and checking it against the rules.

mod bundle;
mod collect;
mod drop;
mod links;
mod note;
mod outbox;
mod rules;

pub(crate) use collect::collect;
