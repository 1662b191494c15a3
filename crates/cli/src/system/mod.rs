//! The small ports that need no crate of their own: time, randomness, wake-ups, files.

mod clock;
mod entropy;
mod files;
mod machine;
mod wakeup;

pub(crate) use clock::SystemClock;
pub(crate) use entropy::SystemEntropy;
pub(crate) use files::SystemFiles;
pub(crate) use machine::ThisMachine;
pub(crate) use wakeup::NotifyWakeup;
