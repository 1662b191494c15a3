//! The product with failpoints, for tests: the very same program, with something in the way of its ports.
//!
//! Nothing of this is compiled into the product: no crate of it may depend on this one, which the layering test holds.

mod clock;
mod long_run;
mod point;
mod seam;
mod storm;

pub use long_run::LongRun;
pub use point::Point;
pub use seam::{CLOCK, FAILPOINT, seam};
pub use storm::{Report, Storm};
