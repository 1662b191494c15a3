//! What every command starts from: where we are, what is configured, where the data is.

use std::{env, num::NonZeroU32, sync::Arc, thread, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use config::{ConfigError, Flag, Loaded, Origin, Surroundings};
use etcetera::{BaseStrategy as _, base_strategy};
use ports::StoreError;
use store_sqlite::{Mode, Options as StoreOptions, SqliteStore};

use crate::{
    args::{Color, Global},
    error::CliError,
    exit::ExitStatus,
    holder::{self, HoldingCommand},
    output,
    system::SystemClock,
    words,
};

/// Calls that may wait for the store's writer before more are refused.
const STORE_QUEUE_MAX: usize = 4096;
/// How often a data directory is tried that another process holds.
const LOOKS_MAX: u32 = 20;
/// Between two of them; each takes half of that itself.
const LOOK_PAUSE: Duration = Duration::from_millis(55);

/// Where we are and what was asked for on every command line. The only reader of the environment.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) cwd: Utf8PathBuf,
    pub(crate) home: Option<Utf8PathBuf>,
    pub(crate) path: String,
    /// Our own binary.
    pub(crate) program: Utf8PathBuf,
    /// Who asks, for the log.
    pub(crate) person: String,
    /// What stands between the engine and its ports.
    pub(crate) seam: fn(engine::Ports) -> engine::Ports,
    config_dir: Utf8PathBuf,
    default_data_dir: Utf8PathBuf,
    environment: Vec<(String, String)>,
}

impl Context {
    pub(crate) fn new(
        global: &Global,
        seam: fn(engine::Ports) -> engine::Ports,
    ) -> Result<Self, CliError> {
        let cwd = utf8(env::current_dir().map_err(|error| {
            CliError::new(format!("the working directory cannot be used: {error}"))
        })?)?;
        let program = utf8(env::current_exe().map_err(|error| {
            CliError::new(format!("our own program cannot be found: {error}"))
        })?)?;
        let home = env::var("HOME").ok().filter(|home| !home.is_empty()).map(Utf8PathBuf::from);
        let (config_dir, default_data_dir) = directories(home.as_deref())?;
        let person =
            env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "you".to_owned());
        // Otherwise each stream decides for itself: a pipe gets no colours because people watch the other one.
        match global.color {
            Color::Always => owo_colors::set_override(true),
            Color::Never => owo_colors::set_override(false),
            Color::Auto => {}
        }
        Ok(Self {
            global: global.clone(),
            path: env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned()),
            environment: env::vars_os()
                .filter_map(|(key, value)| {
                    Some((key.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            cwd,
            program,
            home,
            person,
            seam,
            config_dir,
            default_data_dir,
        })
    }

    /// A secret by name, from the environment.
    pub(crate) fn secret(&self, name: &str) -> Option<String> {
        self.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// What people type to call us: the bare name where `PATH` leads to this very program, else its path.
    pub(crate) fn called(&self) -> &str {
        let first = self
            .path
            .split(':')
            .map(|dir| Utf8Path::new(dir).join("gatewright"))
            .find(|it| it.is_file());
        let is_us =
            first.and_then(|it| it.canonicalize_utf8().ok()).is_some_and(|it| it == self.program);
        if is_us { "gatewright" } else { self.program.as_str() }
    }

    /// The configuration for a repository: the file that was named, the repository's own, or the user's.
    pub(crate) fn load_config(&self, repository: &Utf8Path) -> Result<Loaded, CliError> {
        let surroundings = self.surroundings();
        let own = repository.join("gatewright.toml");
        let users = self.config_dir.join("gatewright.toml");
        let file = match &self.global.config {
            Some(named) => Some(self.absolute(named)),
            None => [own.clone(), users].into_iter().find(|file| file.exists()),
        };
        let loaded = match file {
            Some(file) => config::load(&file, &surroundings).map_err(|error| explain(&error))?,
            None => config::parse("", &own, &surroundings)
                .map_err(|problems| problems_error(&problems))?,
        };
        if !self.global.quiet {
            for warning in &loaded.warnings {
                output::warn(warning);
            }
        }
        Ok(loaded)
    }

    /// Whether a repository's own configuration names the data directory, so that it is another one elsewhere.
    pub(crate) fn is_known_there_alone(&self, loaded: &Loaded) -> bool {
        let is_own = self.global.config.is_none() && loaded.directory() != self.config_dir;
        let mut settings = loaded.settings().iter();
        let data_dir = settings.find(|it| it.key == "data_dir");
        is_own && data_dir.is_some_and(|it| matches!(it.origin, Origin::File { .. }))
    }

    /// What `config` needs to know of this machine and this call.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let cores =
            thread::available_parallelism().ok().and_then(|it| u32::try_from(it.get()).ok());
        let flag = |dir: &Utf8PathBuf| Flag {
            name: "--data-dir",
            key: "data_dir",
            value: self.absolute(dir).into_string(),
        };
        Surroundings {
            home: self.home.clone(),
            data_dir: self.default_data_dir.clone(),
            cores: cores.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
            environment: self
                .environment
                .iter()
                .filter(|(key, _)| key.starts_with("GATEWRIGHT_"))
                .cloned()
                .collect(),
            flags: self.global.data_dir.as_ref().map(flag).into_iter().collect(),
        }
    }

    pub(crate) fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.cwd.join(path)
    }

    /// The data directory that the configuration names, without `..` and links: its paths are compared and mounted.
    pub(crate) fn data_dir(&self, loaded: &Loaded) -> Utf8PathBuf {
        let named = loaded.config.data_dir.clone().unwrap_or_else(|| self.default_data_dir.clone());
        resolved(&self.absolute(&named))
    }
}

/// A path without `..` and links, as far as it exists: what does not exist yet cannot be a link.
pub(crate) fn resolved(path: &Utf8Path) -> Utf8PathBuf {
    let there = path.ancestors().find_map(|dir| Some((dir, dir.canonicalize_utf8().ok()?)));
    match there {
        Some((dir, real)) => match path.strip_prefix(dir) {
            Ok(rest) if !rest.as_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => path.to_owned(),
    }
}

/// Refuses a file to write that lies in the data directory: what is there is ours, and the database among it.
pub(crate) fn check_outside(data_dir: &Utf8Path, file: &Utf8Path) -> Result<(), String> {
    if resolved(file).starts_with(resolved(data_dir)) {
        return Err(format!("{file} lies in the data directory, which only gatewright writes to"));
    }
    Ok(())
}

/// The store, for looking only. Works while another process writes.
pub(crate) fn open_for_reading(data_dir: &Utf8Path) -> Result<Arc<SqliteStore>, CliError> {
    Ok(try_open_for_reading(data_dir)?)
}

/// The same for whoever acts by what stands in the way.
pub(crate) fn try_open_for_reading(data_dir: &Utf8Path) -> Result<Arc<SqliteStore>, StoreError> {
    open_store(data_dir, Mode::ReadOnly)
}

/// The store, for this process alone. `command` is told to whoever finds it in use. One that is in use is waited for, as
/// long as a command takes that only brings an answer: two people may answer at once.
pub(crate) async fn open_for_writing(
    context: &Context,
    data_dir: &Utf8Path,
    command: HoldingCommand,
) -> Result<Arc<SqliteStore>, CliError> {
    let (holder, clock) = (holder::of(command), SystemClock::default());
    for look in 1..LOOKS_MAX {
        match open_store(data_dir, Mode::ReadWrite { holder: holder.clone() }) {
            Err(error @ StoreError::InUse { .. }) => {
                if look == 1 && !context.global.quiet {
                    let holder = words::one_line(&error.to_string());
                    output::say(format_args!("{holder}: waiting for it, at most 2 s"));
                }
                clock.pause(LOOK_PAUSE).await;
            }
            opened => return Ok(opened?),
        }
    }
    Ok(open_store(data_dir, Mode::ReadWrite { holder })?)
}

fn open_store(data_dir: &Utf8Path, mode: Mode) -> Result<Arc<SqliteStore>, StoreError> {
    let options = StoreOptions { data_dir: data_dir.to_owned(), mode, queue_max: STORE_QUEUE_MAX };
    Ok(Arc::new(SqliteStore::open(options)?))
}

fn utf8(path: std::path::PathBuf) -> Result<Utf8PathBuf, CliError> {
    Utf8PathBuf::from_path_buf(path).map_err(|path| {
        CliError::new(format!("the path {} is not valid UTF-8", path.display()))
            .help("work from a directory whose path is")
    })
}

/// The user's configuration and data directories for us.
fn directories(home: Option<&Utf8Path>) -> Result<(Utf8PathBuf, Utf8PathBuf), CliError> {
    let Ok(strategy) = base_strategy::choose_base_strategy() else {
        let home = home.map_or_else(|| Utf8PathBuf::from("/nonexistent"), Utf8Path::to_owned);
        return Ok((home.join(".config/gatewright"), home.join(".local/share/gatewright")));
    };
    Ok((
        utf8(strategy.config_dir().join("gatewright"))?,
        utf8(strategy.data_dir().join("gatewright"))?,
    ))
}

fn explain(error: &ConfigError) -> CliError {
    match error {
        ConfigError::Invalid(problems) => problems_error(problems),
        ConfigError::Read { .. } => CliError::usage(crate::error::chain(error)),
    }
}

/// Everything that is wrong with a file, each with its line.
pub(crate) fn problems_error(problems: &config::Problems) -> CliError {
    let mut error = CliError::usage(problems.to_string()).status(ExitStatus::Usage);
    error.report = Some(crate::words::problems(problems));
    error
}
