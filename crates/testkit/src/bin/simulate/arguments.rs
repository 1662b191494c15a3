//! What the program was told to do.

use std::error::Error;

pub(crate) const USAGE: &str = "usage: cargo xtask simulate [OPTIONS]

  --histories N   how many histories (1000; without a limit where --minutes is given)
  --seed S        the first one's seed; alone it plays that one history (chosen anew each time)
  --minutes M     stop after so long
  --threads T     how many at the same time (as many as there are cores)
  --nodes 1|2     orchestrators on one store (1)
  --plan FILE     play the history of this plan, as it was printed for one that broke a rule
  --mutation NAME a single deliberate fault: how many histories it takes until it is found; with --plan, whether it is
                  found in that one
  --keep FILE     with --mutation: cut down what finds it and write the plan
  --trace         show the last calls of a single history
  --progress      say on standard error how far it is (without it only where that is a terminal)";

#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) histories: Option<u64>,
    pub(crate) seed: Option<u64>,
    pub(crate) minutes: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) nodes: Option<u8>,
    pub(crate) plan: Option<String>,
    pub(crate) mutation: Option<String>,
    pub(crate) keep: Option<String>,
    pub(crate) trace: bool,
    pub(crate) progress: bool,
}

impl Arguments {
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut found = Self::default();
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{flag}` needs a value"));
            match flag.as_str() {
                "--histories" => found.histories = Some(number(&value()?)?),
                "--seed" => found.seed = Some(number(&value()?)?),
                "--minutes" => found.minutes = Some(number(&value()?)?),
                "--threads" => found.threads = Some(number(&value()?)?),
                "--nodes" => found.nodes = Some(number(&value()?)?),
                "--plan" => found.plan = Some(value()?),
                "--mutation" => found.mutation = Some(value()?),
                "--keep" => found.keep = Some(value()?),
                "--trace" => found.trace = true,
                "--progress" => found.progress = true,
                _ => return Err(format!("`{flag}` is not known").into()),
            }
        }
        if !(1..=2).contains(&found.nodes.unwrap_or(1)) {
            return Err("`--nodes` is 1 or 2".into());
        }
        if found.keep.is_some() && (found.mutation.is_none() || found.plan.is_some()) {
            return Err("`--keep` needs `--mutation NAME`, and no `--plan`".into());
        }
        Ok(found)
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}
