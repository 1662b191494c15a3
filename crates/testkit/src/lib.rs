//! Test environment, fakes and builders. Development only.

pub mod agent_cli;
pub mod clock;
pub mod gatewright;
pub mod git_conformance;
pub mod model_server;
pub mod repository;
pub mod simulation;
pub mod store_conformance;
pub mod store_model;
pub mod world;
