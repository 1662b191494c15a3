//! Whole histories, by the thousand: the engine as it is, on the real SQL in memory, in a world made up of a seed.
//!
//! A seed makes a [`Plan`]; the plan is played; what must always hold is looked at after each commit, and everything
//! at the end. Nothing in a history knows the real time or waits for another thread, so that the same plan gives the
//! same history, call by call. `docs/dev/simulation.md` says how to use it.

mod plan;

mod dice;
mod generate;

mod campaign;
mod hunt;
mod shrink;

mod history;
mod play;

mod ending;
mod invariants;
mod remains;

mod coverage;
mod places;
mod record;

mod bell;
mod lockstep;
mod mutation;
mod process;
mod routes;
mod shapes;
mod toll;

pub use campaign::{Campaign, Findings, News};
pub use coverage::Coverage;
pub use history::History;
pub use hunt::{Catch, Hunt};
pub use mutation::Mutation;
pub use plan::{
    Act, Ask, AskOfLetter, Conduct, GateKind, Lack, Plan, Refusal, Reply, Saying, Shape, Trouble,
    Welcome,
};
pub use record::Violation;
pub use shrink::shrink;

pub use crate::world::Side;

#[cfg(test)]
mod tests;
