//! The store itself: how it is opened, and who does what is asked of it.

use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use ports::StoreError;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use crate::{
    batch::{self, Work},
    connection, cut, data_dir,
    error::Error,
    migrations, ops,
    options::{Mode, Options},
    readers::Readers,
    unusable::{self, Unusable},
    writer::Writer,
};

/// A store on SQLite.
///
/// An answer to a write comes after its commit. A read that is asked for after that answer sees it. A caller
/// that stops waiting changes nothing: what it asked for is done or not done, whole.
#[derive(Debug)]
pub struct SqliteStore {
    data_dir: Utf8PathBuf,
    access: Access,
    /// What was met at work that no other try gets over.
    unusable: watch::Sender<Option<Unusable>>,
}

#[derive(Debug)]
enum Access {
    // The readers stand first: their connections are closed before the writer's, which tidies up behind them.
    Files { readers: Readers, writer: Writer },
    Reading { readers: Readers },
    // On the caller's thread: a simulation must not depend on how threads are scheduled.
    Memory(Mutex<Connection>),
}

impl SqliteStore {
    /// Opens the store of a data directory; for writing, makes it and brings its tables up to date.
    ///
    /// Blocks the thread for as long as that takes.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        let Options { data_dir, mode, queue_max } = options;
        let readers = Readers::new(data_dir::database(&data_dir), queue_max);
        let access = match mode {
            Mode::ReadWrite { holder } => open_writer(&data_dir, &holder, queue_max)
                .map(|writer| Access::Files { readers, writer }),
            Mode::ReadOnly => check_readable(&data_dir).map(|()| Access::Reading { readers }),
        };
        let access = access.map_err(|error| {
            unusable::on_opening(
                of_directory(error, &data_dir),
                &data_dir,
                &data_dir::database(&data_dir),
            )
        })?;
        Ok(Self { data_dir, access, unusable: watch::Sender::default() })
    }

    /// Opens an empty store that is kept nowhere. It works on the caller's thread and depends on nothing else.
    pub fn in_memory() -> Result<Self, StoreError> {
        let place = "memory".to_owned();
        let mut connection = connection::in_memory().map_err(|error| error.at(&place))?;
        migrations::migrate(&mut connection, &place)?;
        let access = Access::Memory(Mutex::new(connection));
        Ok(Self { data_dir: Utf8PathBuf::from(place), access, unusable: watch::Sender::default() })
    }

    /// Waits until a call finds that the database cannot be used any more: it is damaged, or may not grow. Whoever would
    /// try again has to end instead.
    pub async fn until_unusable(&self) -> StoreError {
        let mut unusable = self.unusable.subscribe();
        let met = unusable.wait_for(Option::is_some).await;
        let met = met.expect("the store has the sender").clone();
        met.expect("it was waited for").met("use the database")
    }

    /// Has `work` done in a transaction, and answers once that is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = match &self.access {
            Access::Files { readers: _, writer } => writer.call(work).await,
            Access::Reading { .. } => Err(Error::ReadOnly),
            Access::Memory(connection) => at_once(&exclusive(connection), work),
        };
        result.map_err(|error| self.met(error))
    }

    /// Reads what is durable.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = match &self.access {
            Access::Files { readers, writer: _ } | Access::Reading { readers } => {
                readers.call(read).await
            }
            Access::Memory(connection) => read(&exclusive(connection)),
        };
        result.map_err(|error| self.met(error))
    }

    /// The same for a look at everything, which may take long.
    pub(crate) async fn read_at_leisure<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = match &self.access {
            Access::Files { readers, writer: _ } | Access::Reading { readers } => {
                readers.call_at_leisure(read).await
            }
            Access::Memory(connection) => read(&exclusive(connection)),
        };
        result.map_err(|error| self.met(error))
    }

    /// The port's error. What no other try gets over is told to whoever waits for it.
    fn met(&self, error: Error) -> StoreError {
        let error = of_file(error, &self.data_dir, &data_dir::database(&self.data_dir));
        if let Some(unusable) = Unusable::find_in(&error) {
            self.unusable.send_replace(Some(unusable.clone()));
        }
        error
    }
}

fn open_writer(data_dir: &Utf8Path, holder: &str, queue_max: usize) -> Result<Writer, StoreError> {
    let lock = data_dir::take(data_dir, holder)?;
    let made = data_dir::make_database(data_dir)?;
    let database = data_dir::database(data_dir);
    let place = database.as_str();
    // Before anything is settled: the settings of a writer change the file.
    if !made.is_new() {
        let reader = connection::for_reading(&database);
        let reader = reader.map_err(|error| of_file(error, data_dir, &database))?;
        unusable::check_ours(&reader, data_dir, &database)?;
        cut::refuse_cut(&reader, &database)?;
    }
    let connection = connection::for_writing(&database);
    let mut connection = connection.map_err(|error| of_file(error, data_dir, &database))?;
    migrations::migrate(&mut connection, place)?;
    let writer =
        ops::prepare(&connection).and_then(|()| Writer::start(connection, lock, queue_max));
    let writer = writer.map_err(|error| error.at(place))?;
    made.keep();
    Ok(writer)
}

fn check_readable(data_dir: &Utf8Path) -> Result<(), StoreError> {
    let database = data_dir::existing(data_dir)?;
    let connection = connection::for_reading(&database);
    let connection = connection.map_err(|error| of_file(error, data_dir, &database))?;
    unusable::check_ours(&connection, data_dir, &database)?;
    cut::refuse_cut(&connection, &database)?;
    migrations::check(&connection, database.as_str())
}

/// What keeps the file from being opened is said of the file, what keeps it from being written of its directory.
fn of_file(error: Error, data_dir: &Utf8Path, database: &Utf8Path) -> StoreError {
    of_directory(error.at(database.as_str()), data_dir)
}

fn of_directory(error: StoreError, data_dir: &Utf8Path) -> StoreError {
    match error {
        StoreError::ReadOnly { .. } => StoreError::ReadOnly { path: data_dir.to_string() },
        other => other,
    }
}

fn exclusive(connection: &Mutex<Connection>) -> std::sync::MutexGuard<'_, Connection> {
    // A caller that panicked in the middle of a transaction is a test that failed already.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at_once<T: Send + 'static>(
    connection: &Connection,
    work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (reply, mut answer) = oneshot::channel();
    batch::run(connection, vec![Box::new(Work::new(work, reply))]);
    answer.try_recv().expect("a batch answers every call")
}
