//! How a store is opened.

use camino::Utf8PathBuf;

/// Where the data is, and what is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The data directory, made where it is missing.
    pub data_dir: Utf8PathBuf,
    /// What may be done.
    pub mode: Mode,
    /// Calls that may wait at once, at least 1; the next one is refused.
    pub queue_max: usize,
}

/// What may be done with the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything, and by nobody else.
    ReadWrite {
        /// Who we are, for whoever finds the directory taken: ``pid 123, `gatewright run` ``.
        holder: String,
    },
    /// Reading, also while another process writes. Everything else is refused.
    ReadOnly,
}
