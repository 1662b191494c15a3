//! Damaged rows, in words: whoever looks at work sees what is parked.

use api::DamageView;
use domain::pipeline::Pipeline;
use jiff::Timestamp;
use ports::{DamagedRow, Store};

use crate::{called::gatewright, error::CliError, output, words::one_line};

/// The table of the log.
const EVENTS: &str = "events";

/// What is damaged among the pipelines that have not ended.
pub(crate) async fn load(store: &dyn Store) -> Result<Vec<DamageView>, CliError> {
    Ok(store.find_damage(None, Timestamp::now()).await?.into_iter().map(view).collect())
}

pub(crate) fn view(row: DamagedRow) -> DamageView {
    let DamagedRow { table, row, pipeline, what } = row;
    DamageView { table, row, pipeline, what }
}

/// Says that nobody can tell who paused a pipeline, and which rows of its log cannot be read.
pub(crate) async fn warn_of_pause(store: &dyn Store, pipeline: &Pipeline) -> Result<(), CliError> {
    let rows = store.find_damage(Some(pipeline.id), Timestamp::now()).await?;
    for row in rows.into_iter().filter(|row| row.table == EVENTS) {
        output::warn(words(&view(row)));
    }
    let key = &pipeline.item.key;
    output::warn(format_args!(
        "{key} is paused, and it cannot be read who paused it: `run --resume all` leaves it, `{} run --resume {key}` goes on with it",
        gatewright()
    ));
    Ok(())
}

/// One line.
pub(crate) fn words(damage: &DamageView) -> String {
    let DamageView { table, row, pipeline, what } = damage;
    let row = if table == "pipelines" { String::new() } else { format!(" ({table} {row})") };
    one_line(&format!("{pipeline} is damaged{row}: {what}"))
}

/// Says what is damaged and parked, and what to do about it.
pub(crate) fn warn(damaged: &[DamageView]) {
    for it in damaged {
        output::warn(words(it));
    }
    if !damaged.is_empty() {
        output::warn(format_args!(
            "what is damaged is parked, the rest goes on; `{0} export ID` saves what can be read, `{0} doctor` says more",
            gatewright()
        ));
    }
}
