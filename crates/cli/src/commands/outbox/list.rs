//! `gatewright outbox list`

use std::collections::BTreeSet;

use api::{DamageView, LetterView};
use clap::{Args, ValueEnum};
use comfy_table::Cell;
use domain::{name::DestinationName, outbox::LetterStateTag};
use jiff::Timestamp;
use ports::{LetterFilter, Store as _};

use super::standing::{self, Standing};
use crate::{
    called::gatewright,
    commands::{damage, data::Opened},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output::{self, Log},
    words::{self, Tone},
};

/// What to list.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Letters in this state
    #[arg(long, value_enum, default_value_t = State::Open)]
    state: State,
    /// Letters to this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<DestinationName>,
    /// At most this many of each state, the newest (0: all)
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

/// States, and groups of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// Queued, sending and dead
    Open,
    /// Waits for its turn
    Queued,
    /// Is being delivered
    Sending,
    /// Delivered
    Delivered,
    /// Nobody tries any more
    Dead,
    /// A person decided that it is not to be delivered
    Dropped,
    /// All
    All,
}

impl State {
    /// Whether damaged letters of it are looked for; of the others there is no end.
    const fn is_open(self) -> bool {
        match self {
            Self::Open | Self::Queued | Self::Sending | Self::Dead => true,
            Self::Delivered | Self::Dropped | Self::All => false,
        }
    }

    const fn filters(self) -> &'static [Option<LetterStateTag>] {
        match self {
            Self::Open => &[
                Some(LetterStateTag::Queued),
                Some(LetterStateTag::Sending),
                Some(LetterStateTag::Dead),
            ],
            Self::Queued => &[Some(LetterStateTag::Queued)],
            Self::Sending => &[Some(LetterStateTag::Sending)],
            Self::Delivered => &[Some(LetterStateTag::Delivered)],
            Self::Dead => &[Some(LetterStateTag::Dead)],
            Self::Dropped => &[Some(LetterStateTag::Dropped)],
            Self::All => &[None],
        }
    }
}

impl List {
    pub(super) const fn log(&self) -> Log {
        if self.state.is_open() { Log::WithoutDamage } else { Log::Whole }
    }

    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let Some(data) = Opened::find(context)? else { return Ok(self.nothing(context, false)) };
        let mut letters = Vec::new();
        for state in self.state.filters() {
            let (destination, limit) = (self.destination.clone(), self.limit);
            let filter = LetterFilter { pipeline: None, destination, state: *state, limit };
            letters.extend(data.store.list_letters(&filter).await?);
        }
        let damaged =
            if self.state.is_open() { data.store.damaged_letters().await? } else { Vec::new() };
        let damaged: Vec<DamageView> = damaged.into_iter().map(damage::view).collect();
        damage::warn(&damaged);
        // Oldest first: in this order they are delivered.
        letters.sort_by_key(|letter| (letter.event.seq, letter.destination.clone()));
        let standing = Standing::look(&data).await?;
        let views: Vec<LetterView> = letters.iter().map(|it| standing.view(it)).collect();
        if views.is_empty() && (damaged.is_empty() || context.global.json) {
            return Ok(self.nothing(context, self.has_dropped(&data).await?));
        }
        if views.is_empty() {
            output::say("there are no letters but those that are damaged");
            return Ok(ExitStatus::Success);
        }
        if context.global.json {
            output::json(&views);
            return Ok(ExitStatus::Success);
        }
        let now = Timestamp::now();
        let mut table = words::table(&[
            "item",
            "event",
            "happened",
            "destination",
            "state",
            "due",
            "failures",
            "last error",
            "id",
        ]);
        for view in &views {
            // Why a try failed that another has made good is nobody's concern any more.
            let error = view.last_error.as_deref().filter(|_| view.state != "delivered");
            let error = words::one_line(error.unwrap_or_default());
            table.add_row(vec![
                Cell::new(&view.item),
                Cell::new(&view.event),
                Cell::new(words::ago(view.at, now)),
                Cell::new(&view.destination),
                tone(&view.state).cell(&view.state),
                Cell::new(standing::due(view, now)),
                Cell::new(view.failures),
                Cell::new(error.chars().take(60).collect::<String>()),
                Cell::new(view.id),
            ]);
        }
        output::data(table.trim_fmt());
        if views.iter().any(|view| view.at_work == Some(false)) {
            output::say(format_args!("its sender is gone: {} sends it", standing::next_sender()));
        }
        let stranded = views.iter().filter(|view| standing::is_stranded(view));
        for destination in stranded.map(|view| &view.destination).collect::<BTreeSet<_>>() {
            let what = standing::configure(destination);
            output::say(format_args!("{destination} is not configured here: {what}"));
        }
        Ok(ExitStatus::Success)
    }

    /// Whether a person had a letter dropped that would be listed otherwise.
    async fn has_dropped(&self, data: &Opened) -> Result<bool, CliError> {
        let filter = LetterFilter {
            pipeline: None,
            destination: self.destination.clone(),
            state: Some(LetterStateTag::Dropped),
            limit: 1,
        };
        Ok(!data.store.list_letters(&filter).await?.is_empty())
    }

    /// Says that there are none.
    fn nothing(&self, context: &Context, has_dropped: bool) -> ExitStatus {
        match self.state {
            _ if context.global.json => output::json(&[(); 0]),
            State::Open if has_dropped => output::say(format_args!(
                "everything is delivered but what was dropped: {} outbox list --state dropped",
                gatewright()
            )),
            State::Open => output::say("everything is delivered"),
            _ => output::say("there are no such letters"),
        }
        ExitStatus::Success
    }
}

fn tone(state: &str) -> Tone {
    match state {
        "delivered" => Tone::Good,
        "dead" => Tone::Bad,
        "sending" => Tone::Attention,
        _ => Tone::Quiet,
    }
}
