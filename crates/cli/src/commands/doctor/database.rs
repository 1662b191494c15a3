//! What is remembered: whether the database is whole, and every row in it what it can be.

use api::{CheckView, DamageView};
use config::Loaded;
use domain::id::PipelineId;
use jiff::Timestamp;
use ports::Store;
use store_sqlite::{Health, Unusable};

use super::{missing, ok, warning};
use crate::{
    called::gatewright,
    commands::{damage, patience},
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
        Ok(store) => {
            patience::ask_for(context, &file);
            store.check(Timestamp::now()).await.map(|health| (store, health))
        }
        Err(error) if matches!(Unusable::find_in(&error), Some(Unusable::Nothing { .. })) => {
            return vec![ok(NAME, "none yet: nothing was started here")];
        }
        Err(error) => {
            let error = CliError::from(error);
            let mend = error.help.unwrap_or_else(restore);
            return vec![missing(NAME, error.message, mend)];
        }
    };
    match health {
        Ok((store, health)) => told(&*store, &file, health).await,
        Err(error) => vec![missing(NAME, crate::error::chain(&error), restore())],
    }
}

async fn told(store: &dyn Store, file: &camino::Utf8Path, health: Health) -> Vec<CheckView> {
    let Health { file: of_file, form, dangling, damage, broken } = health;
    let gatewright = gatewright();
    let mut checks: Vec<CheckView> = of_file
        .into_iter()
        .map(|what| missing(NAME, format!("{file}: {what}"), restore()))
        .collect();
    checks.extend(form.map(|what| {
        let found =
            format!("{file} is not as gatewright makes it: {what}, so that it is not backed up");
        let mend = format!(
            "undo what something else has changed there, or bring a backup back: {}",
            restore()
        );
        missing(NAME, found, mend)
    }));
    let count = damage.len();
    for row in damage.into_iter().take(ROWS_MAX).map(damage::view) {
        let mend = mend(store, &row, &gatewright).await;
        checks.push(warning("damaged row", damage::words(&row), mend));
    }
    if count > ROWS_MAX {
        let words = format!("{} more", count - ROWS_MAX);
        checks.push(warning("damaged row", words, restore()));
    }
    let others = dangling.into_iter().chain(broken);
    let report = format!("{gatewright} export ID of what it names; then report it");
    checks.extend(others.map(|what| warning(NAME, what, report.clone())));
    if checks.is_empty() {
        checks.push(ok(NAME, format!("{file} is whole")));
    }
    checks
}

/// The command that brings a backup back in place of what is there.
fn restore() -> String {
    format!("{} restore FILE --force", gatewright())
}

/// What can be done about a damaged row: only a pipeline that can be read and has not ended can be cancelled.
async fn mend(store: &dyn Store, row: &DamageView, gatewright: &str) -> String {
    let Ok(id) = row.pipeline.parse::<PipelineId>() else { return restore() };
    let can_be_cancelled = match store.find_pipeline(id).await {
        Ok(Some(pipeline)) => {
            !pipeline.state.is_terminal()
                && store.find_definition(&pipeline.definition).await.is_ok_and(|it| it.is_some())
        }
        Ok(None) | Err(_) => false,
    };
    if can_be_cancelled {
        format!(
            "{gatewright} export {id}; then {gatewright} pipeline cancel {id}, or restore a backup"
        )
    } else {
        format!(
            "{gatewright} export {id} saves what can be read; a backup brings it back: {}",
            restore()
        )
    }
}
