//! What only can be tested from within.

mod damage;
mod full_disk;
mod migrations;
mod overload;
mod statements;
