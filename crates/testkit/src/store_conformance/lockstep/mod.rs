//! Drives two stores through the same random calls and compares everything that they say.
//!
//! What is called is made up from what the first store holds, so that most calls have something to do.

mod calls;
mod compare;

pub use calls::{BreakerSketch, Call, Extra, JobSketch, LetterSketch, Outcome, StepSketch, calls};
pub use compare::compare;
