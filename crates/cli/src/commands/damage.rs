//! Damaged rows, in words: whoever looks at work sees what is parked.

use api::DamageView;
use jiff::Timestamp;
use ports::{DamagedRow, Store};

use crate::{called::gatewright, error::CliError, output, words::one_line};

/// What is damaged among the pipelines that have not ended.
pub(crate) async fn load(store: &dyn Store) -> Result<Vec<DamageView>, CliError> {
    Ok(store.find_damage(None, Timestamp::now()).await?.into_iter().map(view).collect())
}

pub(crate) fn view(row: DamagedRow) -> DamageView {
    let DamagedRow { table, row, pipeline, what } = row;
    DamageView { table, row, pipeline, what }
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
