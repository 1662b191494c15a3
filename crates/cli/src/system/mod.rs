//! The small ports that need no crate of their own: time, randomness, wake-ups, files, signals.

mod clock;
mod entropy;
mod files;
mod ignored;
mod long_files;
mod machine;
mod wakeup;

pub(crate) use clock::SystemClock;
pub(crate) use entropy::SystemEntropy;
pub(crate) use files::SystemFiles;
pub(crate) use ignored::is_ignored;
pub(crate) use long_files::let_writes_fail;
pub(crate) use machine::ThisMachine;
pub(crate) use wakeup::NotifyWakeup;
