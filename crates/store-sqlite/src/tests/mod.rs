//! What only can be tested from within.

mod crash_images;
mod damage;
mod full_disk;
mod migrations;
mod nonsense;
mod overload;
mod promises;
mod statements;
