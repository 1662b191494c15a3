//! The machine, in one line without its name.

use std::{fs, thread};

use crate::{disk::Disk, place::Place, table::number};

/// Cores, kernel, disk, and how busy others kept it.
pub(crate) fn describe(place: &Place, disk: &Disk, load_before: &str) -> String {
    let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "{cores} cores, Linux {}, {}; append 4 KiB + fdatasync {}/s; load average {load_before} before, {} after",
        kernel(),
        place.file_system(),
        number(disk.append.median()),
        load(),
    )
}

/// How busy the machine was in the last minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

/// The kernel's version, without what its builder added.
fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().split('-').next().unwrap_or("unknown").to_owned()
}
