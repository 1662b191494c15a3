//! The product as people meet it: the built binary, real git, real sandboxes, real processes.

mod world;

mod demo;
mod init;
mod real_agents;

mod delivery;
mod refusals;
mod limits;
mod output;

mod approvals;
mod concurrency;
mod interruption;
mod isolation;

mod bad_data_dirs;
mod bad_files;
mod bad_repositories;
mod titles;
