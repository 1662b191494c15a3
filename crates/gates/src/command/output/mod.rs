//! Failed tests in the output of test runners. Whatever is not recognised is still shown as it is.

mod cargo;
mod failures;
mod go;
mod junit;
mod pytest;
mod tap;

mod scanners;

pub(crate) use failures::Failures;
pub(crate) use scanners::Scanners;
