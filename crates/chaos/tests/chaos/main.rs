//! The product with failpoints: killed at named points, upgraded, drained; real git, real sandboxes, real processes.

#![expect(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod world;

mod clock;
mod crash_points;
mod hanging;
mod long_agent;
mod machine;
mod real_agents;
mod storm;
mod upgrade;
