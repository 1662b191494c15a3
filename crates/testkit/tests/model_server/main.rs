//! The fake model server on the wire, and with the real CLIs that it is for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod agent;
mod fake_model;
mod http;
mod real_agents;
mod wire;
