//! What the disk can do: the rates that everything durable is compared with.

use std::{
    fs::File,
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::Result;
use rusqlite::Connection;

use crate::{
    place::Place,
    samples::{Samples, rate},
};

/// Rates of the bare disk, one sample a round.
#[derive(Default)]
pub(crate) struct Disk {
    /// Appending a block and waiting for the disk.
    pub(crate) append: Samples,
    /// Committing one row with SQLite, with the settings of our store.
    pub(crate) commit: Samples,
}

/// Smaller than any step writes.
const BLOCK: [u8; 4096] = [7; 4096];

impl Disk {
    /// Takes one sample of each.
    pub(crate) fn sample(&mut self, place: &Place, time: Duration) -> Result<()> {
        self.append.push(append(place, time)?);
        self.commit.push(commit(place, time)?);
        Ok(())
    }
}

fn append(place: &Place, time: Duration) -> Result<f64> {
    let mut file = File::create(place.dir("append")?.join("file"))?;
    repeat(time, || {
        file.write_all(&BLOCK)?;
        Ok(file.sync_data()?)
    })
}

fn commit(place: &Place, time: Duration) -> Result<f64> {
    let connection = Connection::open(place.dir("commit")?.join("database"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
    )?;
    let text = "x".repeat(1_000);
    let mut insert = connection.prepare("INSERT INTO rows (text) VALUES (?1)")?;
    repeat(time, || Ok(insert.execute([&text]).map(drop)?))
}

fn repeat(time: Duration, mut act: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        act()?;
        count += 1;
    }
    Ok(rate(count, start.elapsed()))
}
