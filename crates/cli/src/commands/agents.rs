//! `gatewright agents`

use api::{AgentView, BreakerView, ResumedView, ScenarioView};
use clap::{Args, Subcommand};
use comfy_table::Cell;
use config::{AgentKind, AgentSettings, Loaded};
use domain::{breaker::BreakerKey, name::AgentName, pipeline::PipelineStateTag};
use jiff::Timestamp;
use ports::{AgentError, PipelineFilter, Store as _};

use super::{
    data::{Opened, root},
    holds, steering,
};
use crate::{
    called::gatewright,
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output,
    words::{self, Tone},
};

/// List and check coding agents
#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// List the agents that are configured, and the kinds that can be used as they are
    List {
        /// In their place the scenarios that the agent `scripted` can play
        #[arg(long)]
        scenarios: bool,
    },
    /// Let an agent try again that waits for a provider, a quota window or a login: one job first, then the others
    Resume {
        /// The agent, or what it waits behind: `command@mine`
        name: String,
    },
    /// Start every configured agent's program as far as its version; exit 1 if one does not answer
    Check(Check),
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// This one only
    name: Option<AgentName>,
}

impl Agents {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        if let Self::List { scenarios: true } = self {
            return Ok(print_scenarios(context));
        }
        if let Self::Resume { name } = self {
            return resume(context, name).await;
        }
        let loaded = context.load_config(&root(context))?;
        let (mut views, fails) = match self {
            Self::List { .. } | Self::Resume { .. } => (all(context, &loaded).await, false),
            Self::Check(Check { name: Some(name) }) => {
                let Some(settings) = loaded.config.find_agent(name) else {
                    let known: Vec<&str> =
                        loaded.config.agents.keys().map(AgentName::as_str).collect();
                    let help = format!(
                        "configured: {}; kinds: {}",
                        known.join(", "),
                        agents::KINDS.join(", ")
                    );
                    return Err(CliError::usage(format!("there is no agent `{name}`")).help(help));
                };
                let configured = loaded.config.agents.contains_key(name);
                let view = look(context, name, &settings, configured).await;
                let fails = view.problem.is_some();
                (vec![view], fails)
            }
            Self::Check(Check { name: None }) => {
                let views = all(context, &loaded).await;
                // A kind that nobody configured may be missing, unless there is nothing else.
                let configured = views.iter().any(|it| it.configured);
                let counts =
                    |it: &&AgentView| it.configured || (!configured && it.kind != "scripted");
                let mut counted = views.iter().filter(counts);
                let fails = if configured {
                    counted.any(|it| it.problem.is_some())
                } else {
                    counted.all(|it| it.problem.is_some())
                };
                (views, fails)
            }
        };
        let held = holds::look(context).await;
        for view in &mut views {
            let is_behind =
                |it: &&BreakerView| it.agents.iter().any(|agent| agent.as_str() == view.name);
            view.hold = held.iter().find(is_behind).cloned();
        }
        print(context, &views);
        Ok(if fails { ExitStatus::Failure } else { ExitStatus::Success })
    }
}

fn print(context: &Context, views: &[AgentView]) {
    if context.global.json {
        output::json(&views);
        return;
    }
    let mut table =
        words::table(&["agent", "kind", "state", "version", "program or problem", "mend"]);
    for view in views {
        let now = Timestamp::now();
        let held = view.hold.as_ref().map(|hold| holds::in_words(hold, now));
        let (state, tone) = match (&view.problem, view.configured) {
            (None, _) if view.hold.as_ref().is_some_and(|it| holds::is_due(it, now)) => {
                ("on trial", Tone::Attention)
            }
            (None, _) if held.is_some() => ("paused", Tone::Attention),
            (None, true) => ("ok", Tone::Good),
            (None, false) => ("ok, not configured", Tone::Good),
            (Some(_), true) => ("missing", Tone::Bad),
            (Some(_), false) => ("not there", Tone::Quiet),
        };
        let what = view.problem.as_ref().or(held.as_ref()).or(view.program.as_ref());
        let mend = view.hold.as_ref().and_then(|hold| holds::mend(hold, &gatewright()));
        let mend = view.mend.as_ref().or(mend.as_ref());
        table.add_row(vec![
            Cell::new(&view.name),
            Cell::new(&view.kind),
            tone.cell(state),
            Cell::new(words::one_line(view.version.as_deref().unwrap_or(""))),
            Cell::new(words::one_line(what.map_or("", String::as_str))),
            Cell::new(words::one_line(mend.map_or("", String::as_str))),
        ]);
    }
    output::data(table.trim_fmt());
}

/// Lets one job try whatever its agent waits for.
async fn resume(context: &Context, name: &str) -> Result<ExitStatus, CliError> {
    let data = Opened::write(context, HoldingCommand::AgentsResume).await?;
    let guards = holds::guards(&data.loaded);
    let is_meant =
        |(agent, key): &(&AgentName, &BreakerKey)| agent.as_str() == name || key.as_str() == name;
    let Some((_, key)) = guards.iter().find(is_meant) else {
        let name = words::one_line(name);
        let known: Vec<&str> = guards.keys().map(AgentName::as_str).collect();
        let help = format!("known: {}", known.join(", "));
        return Err(CliError::usage(format!("there is no agent `{name}`")).help(help));
    };
    let engine = steering::engine(context, &data).await?;
    let resumed = engine.resume_breaker(key).await?;
    if context.global.json {
        output::json(&ResumedView { breaker: key.clone(), resumed });
        return Ok(ExitStatus::Success);
    }
    if resumed {
        output::say(format_args!("{key}: one job tries as soon as work goes on, then the others"));
        say_whose_turn_it_is(&data).await?;
    } else {
        output::say(format_args!("{key}: nothing holds its agents back"));
    }
    Ok(ExitStatus::Success)
}

/// Names the pipelines that can go on; only what goes on has a job that tries.
async fn say_whose_turn_it_is(data: &Opened) -> Result<(), CliError> {
    let states = vec![PipelineStateTag::Running, PipelineStateTag::Paused];
    let filter = PipelineFilter { states, ..PipelineFilter::default() };
    let mut pipelines = data.store.list_pipelines(&filter).await?;
    pipelines.sort_by_key(|it| it.id);
    let gatewright = gatewright();
    match pipelines.as_slice() {
        [] => output::say(format_args!("then:    {gatewright} run \"…\"")),
        [one] => output::say(format_args!("then:    {gatewright} run --resume {}", one.item.key)),
        [first, ..] => output::say(format_args!(
            "then:    {gatewright} run --resume {}, or `all`",
            first.item.key
        )),
    }
    Ok(())
}

/// What the built-in agent can play.
fn print_scenarios(context: &Context) -> ExitStatus {
    let scenarios = agents::scripted::scenarios();
    if context.global.json {
        let views: Vec<ScenarioView> = scenarios.into_iter().map(view).collect();
        output::json(&views);
        return ExitStatus::Success;
    }
    let mut table = words::table(&["scenario", "what it plays", "what should come of it"]);
    for scenario in scenarios {
        table.add_row(vec![scenario.name, &scenario.description, &scenario.expect]);
    }
    output::data(table.trim_fmt());
    ExitStatus::Success
}

fn view(scenario: agents::scripted::ScenarioInfo) -> ScenarioView {
    let agents::scripted::ScenarioInfo { name, description, expect } = scenario;
    ScenarioView { name: name.to_owned(), description, expect }
}

/// The configured agents, then the kinds that work without a configuration.
pub(crate) async fn all(context: &Context, loaded: &Loaded) -> Vec<AgentView> {
    let mut views = Vec::new();
    for (name, settings) in &loaded.config.agents {
        views.push(look(context, name, settings, true).await);
    }
    for kind in [AgentKind::Claude, AgentKind::Codex, AgentKind::Scripted] {
        let Ok(name) = AgentName::new(kind.to_string()) else { continue };
        if !loaded.config.agents.contains_key(&name) {
            views.push(look(context, &name, &AgentSettings::of_kind(kind), false).await);
        }
    }
    views
}

/// Looks at one agent: its program's version, without tokens and without a login.
async fn look(
    context: &Context,
    name: &AgentName,
    settings: &AgentSettings,
    configured: bool,
) -> AgentView {
    let kind = settings.kind.to_string();
    let mut view = AgentView {
        name: name.to_string(),
        kind,
        configured,
        program: None,
        version: None,
        problem: None,
        mend: None,
        hold: None,
    };
    let profile = match settings.profile(name, |secret| context.secret(secret)) {
        Ok(profile) => profile,
        Err(error) => {
            view.mend = Some(format!("export {}=…", error.secret));
            view.problem = Some(error.to_string());
            return view;
        }
    };
    let Some(agent) = agents::find(&view.kind) else {
        view.problem =
            Some(format!("agents of kind `{}` are not available in this version", view.kind));
        return view;
    };
    // A kind without a configuration plays a scenario only where one is named.
    if settings.kind == AgentKind::Scripted && !configured {
        view.version = Some("built in".to_owned());
        return view;
    }
    match agents::check(&*agent, &profile, &context.path).await {
        Ok(check) => {
            view.program = Some(check.program.into_string());
            view.version = Some(check.version);
        }
        Err(error) => {
            view.mend = Some(mend(&error));
            view.problem = Some(error.to_string());
        }
    }
    view
}

fn mend(error: &AgentError) -> String {
    match error {
        AgentError::Missing { install: Some(install), .. } => install.clone(),
        AgentError::Missing { agent, .. } => {
            format!("install it, or set `command` in [agents.{agent}]")
        }
        AgentError::Invalid { agent, .. } => {
            format!("edit [agents.{agent}] in gatewright.toml")
        }
        AgentError::Broken { program, .. } => format!("{program} --version"),
    }
}
