//! Who is to be told: whether destinations can be reached, and what they were never told.

use api::CheckView;
use config::Loaded;
use jiff::Timestamp;

use super::{ok, warning};
use crate::{
    called::gatewright,
    commands::outbox::{counts, summary},
    context::{Context, try_open_for_reading},
    wiring,
};

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
    let Ok(store) = try_open_for_reading(&context.data_dir(loaded)) else { return checks };
    let gatewright = gatewright();
    match counts(&*store).await {
        Ok(counts) => {
            checks.extend(counts.iter().filter(|it| it.dead > 0).map(|it| {
                let mend =
                    format!("{gatewright} outbox list; then outbox retry ID, or outbox drop ID");
                warning("letters", summary(it, Timestamp::now()), mend)
            }));
        }
        Err(error) => checks.push(warning("letters", error.message, "see the database")),
    }
    checks
}
