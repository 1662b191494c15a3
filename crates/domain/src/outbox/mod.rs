//! The outbox: what the world outside is to be told, once, in order, whatever dies meanwhile.
//!
//! A letter carries one event to one destination. It is written in the transaction of the step that the event belongs
//! to, and its life is decided by [`Letter::decide`]: it ends delivered, or dead with its pipeline told, or dropped by
//! a person who says why. It is never lost, and one that is dead keeps none behind it waiting.

mod decide;
mod letter;
mod route;
#[cfg(test)]
mod tests;

pub use decide::{LetterInput, LetterRefusal};
pub use letter::{Letter, LetterNews, LetterState, LetterStateTag};
pub use route::Route;
