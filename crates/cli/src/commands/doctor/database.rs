//! What is remembered: whether the database is whole, and every row in it what it can be.

use api::CheckView;
use config::Loaded;
use jiff::Timestamp;
use store_sqlite::{Health, Unusable};

use super::{missing, ok, warning};
use crate::{
    commands::damage,
    context::{Context, try_open_for_reading},
    error::CliError,
};

const NAME: &str = "database";
/// Damaged rows that are named; there may be thousands.
const ROWS_MAX: usize = 20;

pub(super) async fn checks(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let data_dir = context.data_dir(loaded);
    let file = data_dir.join(store_sqlite::database_file());
    let health = match try_open_for_reading(&data_dir) {
        Ok(store) => store.check(Timestamp::now()).await,
        Err(error) if matches!(Unusable::find_in(&error), Some(Unusable::Nothing { .. })) => {
            return vec![ok(NAME, "none yet: nothing was started here")];
        }
        Err(error) => {
            let error = CliError::from(error);
            let mend = error.help.unwrap_or_else(|| "gatewright restore FILE --force".to_owned());
            return vec![missing(NAME, error.message, mend)];
        }
    };
    match health {
        Ok(health) => told(&file, health),
        Err(error) => vec![missing(NAME, crate::error::chain(&error), "gatewright restore FILE")],
    }
}

fn told(file: &camino::Utf8Path, health: Health) -> Vec<CheckView> {
    let Health { file: of_file, dangling, damage, broken } = health;
    let mut checks: Vec<CheckView> = of_file
        .into_iter()
        .map(|what| missing(NAME, format!("{file}: {what}"), "gatewright restore FILE"))
        .collect();
    let count = damage.len();
    checks.extend(damage.into_iter().take(ROWS_MAX).map(damage::view).map(|row| {
        let mend =
            format!("gatewright export {}; then cancel it, or restore a backup", row.pipeline);
        warning("damaged row", damage::words(&row), mend)
    }));
    if count > ROWS_MAX {
        let words = format!("{} more", count - ROWS_MAX);
        checks.push(warning("damaged row", words, "gatewright restore FILE"));
    }
    let others = dangling.into_iter().chain(broken);
    checks.extend(others.map(|what| warning(NAME, what, "gatewright export ID; then report it")));
    if checks.is_empty() {
        checks.push(ok(NAME, format!("{file} is whole")));
    }
    checks
}
