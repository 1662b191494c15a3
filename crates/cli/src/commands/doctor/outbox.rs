//! Who is to be told: whether destinations can be reached, and what they were never told.

use api::{CheckView, LetterView};
use config::Loaded;
use domain::outbox::LetterStateTag;
use jiff::Timestamp;
use ports::{LetterFilter, Store as _};

use super::{ok, warning};
use crate::{
    called::gatewright,
    commands::{
        data::Opened,
        outbox::{Standing, configure, counts, is_stranded, summary},
    },
    context::Context,
    error::CliError,
    wiring,
};

const LETTERS: &str = "letters";

pub(super) async fn checks(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let mut checks: Vec<CheckView> = loaded
        .config
        .destinations
        .iter()
        .map(|(name, settings)| {
            let title = format!("destination {name}");
            match wiring::obstacle(context, loaded, settings) {
                None => ok(&title, "can be reached, as far as can be seen"),
                Some(why) => {
                    let mend = format!(
                        "see to [destinations.{name}]; its letters wait, and are dead in the end"
                    );
                    warning(&title, why, mend)
                }
            }
        })
        .collect();
    // Whoever cannot be read is told of as a database.
    let Ok(Some(data)) = Opened::find(context) else { return checks };
    let letters = letters(&data).await;
    let failed = |error: CliError| vec![warning(LETTERS, error.message, "see the database")];
    checks.extend(letters.unwrap_or_else(failed));
    checks
}

/// What a person has to see to: the dead, what nobody here delivers, and what a process took along that is gone.
async fn letters(data: &Opened) -> Result<Vec<CheckView>, CliError> {
    let (gatewright, now) = (gatewright(), Timestamp::now());
    let mut checks = Vec::new();
    for count in counts(&*data.store).await? {
        let is_known = data.loaded.config.destinations.contains_key(&count.destination);
        if count.waiting > 0 && !is_known {
            let found = format!("{}, which is not configured here", summary(&count, now));
            checks.push(warning(LETTERS, found, configure(&count.destination)));
        } else if count.dead > 0 {
            let mend = format!("{gatewright} outbox list; then outbox retry ID, or outbox drop ID");
            checks.push(warning(LETTERS, summary(&count, now), mend));
        }
    }
    let filter = LetterFilter { state: Some(LetterStateTag::Sending), ..LetterFilter::default() };
    let sending = data.store.list_letters(&filter).await?;
    let standing = Standing::look(data).await?;
    let is_left = |it: &LetterView| it.at_work == Some(false) && !is_stranded(it);
    let left = sending.iter().filter(|letter| is_left(&standing.view(letter))).count();
    if left > 0 {
        let found = format!("the sender of {left} that were under way is gone");
        checks.push(warning(LETTERS, found, format!("{gatewright} outbox deliver")));
    }
    Ok(checks)
}
