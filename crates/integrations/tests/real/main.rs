//! Destinations against real files and real programs.

mod command;
mod file;
mod fixtures;
