//! Where does a letter stand: is its sender there, and which one does it wait for?

use std::collections::{BTreeMap, BTreeSet};

use api::LetterView;
use domain::{
    id::LetterId,
    name::DestinationName,
    outbox::{Letter, LetterStateTag},
};
use jiff::Timestamp;
use ports::{LetterFilter, Store as _};

use crate::{
    called::gatewright,
    commands::{attendance::is_gone, data::Opened},
    error::CliError,
    holder::Holder,
    words,
};

/// What is seen of letters beside what they say of themselves.
pub(crate) struct Standing {
    /// The process that holds the data directory.
    holder: Option<Holder>,
    /// The letter that each destination gets next, by the number of its event.
    next: BTreeMap<DestinationName, (u64, LetterId)>,
    /// The destinations that are configured.
    known: BTreeSet<DestinationName>,
}

impl Standing {
    /// Looks.
    pub(crate) async fn look(data: &Opened) -> Result<Self, CliError> {
        let mut next = BTreeMap::new();
        for state in [LetterStateTag::Queued, LetterStateTag::Sending] {
            let filter = LetterFilter { state: Some(state), ..LetterFilter::default() };
            for letter in data.store.list_letters(&filter).await? {
                let this = (letter.event.seq, letter.id);
                let first = next.entry(letter.destination).or_insert(this);
                *first = this.min(*first);
            }
        }
        let known = data.loaded.config.destinations.keys().cloned().collect();
        Ok(Self { holder: data.holder(), next, known })
    }

    /// The view of a letter, with what was seen.
    pub(crate) fn view(&self, letter: &Letter) -> LetterView {
        let mut view = LetterView::from(letter);
        view.at_work = view.owner.as_deref().map(|owner| !is_gone(self.holder.as_ref(), owner));
        view.configured = Some(self.known.contains(&letter.destination));
        let waits = LetterStateTag::from(&letter.state) == LetterStateTag::Queued;
        let next = self.next.get(&letter.destination).map(|(_, id)| *id);
        view.behind = next.filter(|next| waits && *next != letter.id);
        view
    }
}

/// When a letter is delivered, in a few words.
pub(crate) fn due(view: &LetterView, now: Timestamp) -> String {
    match (view.at_work, view.behind) {
        _ if is_stranded(view) => "not configured".to_owned(),
        (Some(false), _) => "its sender is gone".to_owned(),
        (Some(true), _) => "at work".to_owned(),
        (None, Some(_)) => "behind another".to_owned(),
        (None, None) => view.due_at.map(|at| words::ago(at, now)).unwrap_or_default(),
    }
}

/// Whether a letter waits for a destination that is not configured.
pub(crate) fn is_stranded(view: &LetterView) -> bool {
    view.configured == Some(false) && matches!(view.state.as_str(), "queued" | "sending")
}

/// What is to be done about letters to a destination that is not configured.
pub(crate) fn configure(destination: &DestinationName) -> String {
    format!(
        "configure [destinations.{destination}] again, or have each dropped: {} outbox drop ID",
        gatewright()
    )
}

/// Who sends what nobody sends now.
pub(crate) fn next_sender() -> String {
    let gatewright = gatewright();
    format!("the next `{gatewright} run` or `{gatewright} outbox deliver`")
}
