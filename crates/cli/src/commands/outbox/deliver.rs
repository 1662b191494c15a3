//! `gatewright outbox deliver`, and the end of `run --resume all`

use std::collections::BTreeSet;

use api::DeliveryView;
use clap::Args;
use domain::{id::LetterId, outbox::LetterStateTag};
use jiff::Timestamp;
use ports::{LetterFilter, Store};

use crate::{
    called::gatewright,
    commands::{
        data::Opened,
        drive::{AtWork, Drive},
        steering,
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output, words,
};

/// Deliver the letters that are due now, and end: for whoever runs it every few minutes
#[derive(Debug, Args)]
pub(super) struct Deliver {}

impl Deliver {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let Self {} = self;
        let data = Opened::write(context, HoldingCommand::OutboxDeliver).await?;
        let delivery = deliver(context, &Drive::begin(context)?, &data).await?;
        if context.global.json {
            output::json(&delivery);
        }
        Ok(exit_status(&delivery))
    }
}

/// What the exit code says of letters: a person has to see to those that are dead, whoever gave them up and however often
/// it was said. A timer that calls again hears of it again.
pub(crate) const fn exit_status(delivery: &DeliveryView) -> ExitStatus {
    match (delivery.interrupted, delivery.dead) {
        (true, _) => ExitStatus::Interrupted,
        (false, 0) => ExitStatus::Success,
        (false, _) => ExitStatus::WaitsForPerson,
    }
}

/// Delivers what is due to the destinations that are configured here, and says what came of it.
pub(crate) async fn deliver(
    context: &Context,
    drive: &Drive,
    data: &Opened,
) -> Result<DeliveryView, CliError> {
    let engine = drive.unless_stopped(steering::engine(context, data)).await.transpose()?;
    let store = &*data.store;
    let waiting = waiting(store).await?;
    if let Some(engine) = engine {
        let work = async |stop| engine.deliver_letters(stop).await;
        drive.work(AtWork::Chores, store, work).await?;
    }
    let (left, dead) = (self::waiting(store).await?, list(store, LetterStateTag::Dead).await?);
    let known = data.loaded.config.destinations.keys().cloned().collect::<Vec<_>>();
    let ended = waiting.iter().filter(|id| !left.contains(id) && !dead.contains(id));
    let delivery = DeliveryView {
        delivered: ended.count() as u64,
        waiting: left.len() as u64,
        next_due: store.next_letter(&known).await?,
        dead: dead.len() as u64,
        died: waiting.intersection(&dead).count() as u64,
        interrupted: drive.is_stopped(),
    };
    tell(context, &delivery);
    Ok(delivery)
}

/// The letters that wait or are under way.
async fn waiting(store: &dyn Store) -> Result<BTreeSet<LetterId>, CliError> {
    let mut waiting = list(store, LetterStateTag::Queued).await?;
    waiting.extend(list(store, LetterStateTag::Sending).await?);
    Ok(waiting)
}

async fn list(store: &dyn Store, state: LetterStateTag) -> Result<BTreeSet<LetterId>, CliError> {
    let filter = LetterFilter { state: Some(state), ..LetterFilter::default() };
    Ok(store.list_letters(&filter).await?.iter().map(|letter| letter.id).collect())
}

fn tell(context: &Context, delivery: &DeliveryView) {
    let DeliveryView { delivered, waiting, next_due, dead, died: _, interrupted: _ } = delivery;
    if context.global.quiet || (*delivered, *waiting, *dead) == (0, 0, 0) {
        return;
    }
    let now = Timestamp::now();
    let until = match (waiting, next_due) {
        (0, _) => String::new(),
        (_, Some(at)) => format!(" until {at:.0} ({})", words::ago(*at, now)),
        (_, None) => ", to destinations that are not configured here".to_owned(),
    };
    let look =
        if *waiting + *dead > 0 { format!(": {} outbox", gatewright()) } else { String::new() };
    output::say(format_args!(
        "letters: {delivered} delivered, {waiting} waiting{until}, {dead} dead{look}"
    ));
}
