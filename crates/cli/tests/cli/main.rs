//! The product as people meet it: the built binary, real git, real sandboxes, real processes.

#![expect(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod breakers;

mod world;

mod demo;
mod init;
mod real_agents;

mod delivery;
mod limits;
mod outbox;
mod output;
mod refusals;
mod why;
mod zoo;

mod advice;
mod approvals;
mod concurrency;
mod damage;
mod draining;
mod interruption;
mod isolation;
mod keeping;
mod restoring;
mod resuming;

mod bad_data_dirs;
mod bad_files;
mod bad_repositories;
mod following;
mod hostile_words;
mod titles;
mod ushers;
